"""`flask prune`, `flask forget`, `flask reseal`: what they print, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Schedule
from webapi.queue import submit
from webapi.tasks.email_send import Email

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


def test_prune_counts_and_deletes(run: Run) -> None:
    assert run("prune", "--dry-run").output == "Old: 0 jobs, 0 trail.\n"
    assert json.loads(run("prune", "--json").output) == {"jobs": 0, "files": 0, "logs": 0, "trail": 0, "sessions": 0}


def test_prune_by_a_schedule(app: Flask, ada: Person, run: Run) -> None:
    assert run("prune", "--every", "30 3 * * *").exit_code == 2
    assert run("prune", "--every", "never", "--owner", ada.email).exit_code == 1
    assert "03:30 UTC" in run("prune", "--every", "30 3 * * *", "--owner", ada.email).output
    with app.app_context():
        assert db.session.scalars(select(Schedule.kind)).all() == ["system.prune"]


def test_forget_names_what_still_needs_the_address(app: Flask, ada: Person, run: Run) -> None:
    with app.app_context():
        email = Email(to=["bob@example.com"], subject="S", text="t")
        job_id = submit("email.send", email, owner_id=ada.id, delay=60).id
    answer = run("forget", "bob@example.com")
    assert (answer.exit_code, str(job_id) in answer.output) == (1, True)
    assert run("forget", "nobody").exit_code == 1
    assert "--account" in run("forget", ada.email).output
    assert json.loads(run("forget", ada.email, "--account", "--json").output)["account"] is True


def test_reseal_counts(run: Run) -> None:
    assert run("reseal").output == "Sealed anew: 0 jobs, 0 schedules. No key opens 0.\n"
