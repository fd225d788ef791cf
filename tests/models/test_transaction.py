"""Writing transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.conftest import Person
from webapi.errors import ConfigError
from webapi.extensions import db
from webapi.models import User
from webapi.models.transaction import after_commit, in_transaction, writing

pytestmark = pytest.mark.usefixtures("context")


def name(ada: Person) -> str:
    db.session.rollback()
    return str(db.session.scalar(select(User.name).where(User.id == ada.id)))


def test_the_inner_one_joins_and_the_outer_one_commits(ada: Person) -> None:
    said: list[str] = []
    with writing():
        with writing():
            ada.row.name = "Inner"
            after_commit(lambda: said.append("committed"))
        assert said == []
        assert in_transaction()
    assert (said, name(ada), in_transaction()) == (["committed"], "Inner", False)


def test_an_error_takes_everything_back_and_tells_nobody(ada: Person) -> None:
    said: list[str] = []
    with pytest.raises(RuntimeError), writing():
        ada.row.name = "Lost"
        after_commit(lambda: said.append("committed"))
        raise RuntimeError
    assert (said, name(ada), in_transaction()) == ([], "Ada", False)


def test_a_read_that_is_still_open_does_not_stand_in_the_way(ada: Person) -> None:
    assert ada.row.name == "Ada"
    with writing():
        ada.row.name = "Written"
    assert name(ada) == "Written"


def test_sqlite_is_durable(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about SQLite")
    read = {
        what: db.session.execute(text(f"PRAGMA {what}")).scalar()
        for what in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_postgresql_that_may_lose_commits_is_refused(make_app: Callable[..., Flask]) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("about PostgreSQL")
    options = {"connect_args": {"options": "-c synchronous_commit=off"}}
    with (
        make_app(SQLALCHEMY_ENGINE_OPTIONS=options).app_context(),
        pytest.raises(ConfigError, match="synchronous_commit"),
    ):
        db.session.execute(select(1))
