"""`flask db` is Flask-Migrate's own, though it is imported late."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from webapi import create_app
from webapi.extensions import db
from webapi.models import revisions


@pytest.fixture
def empty(tmp_path: Path) -> Flask:
    return create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"})


def at(app: Flask) -> str | None:
    with app.app_context(), db.engine.connect() as connection:
        return revisions.current(connection)


def test_it_migrates_forth_and_back(empty: Flask) -> None:
    run = empty.test_cli_runner().invoke
    newest = revisions.newest(empty.extensions["migrate"].directory)
    assert [run(args=["db", "upgrade"]).exit_code, at(empty)] == [0, newest]
    assert [run(args=["db", "downgrade", "0012"]).exit_code, at(empty)] == [0, "0012"]
    assert run(args=["db", "current", "--verbose"]).exit_code == 0


def test_its_options_and_its_help_are_there(empty: Flask) -> None:
    run = empty.test_cli_runner().invoke
    assert "upgrade" in run(args=["db", "--help"]).output
    assert "--sql" in run(args=["db", "upgrade", "--help"]).output
    assert run(args=["db", "-d", "nowhere", "current"]).exit_code != 0
    assert run(args=["db", "no-such"]).exit_code == 2
