"""Which migration a database is at, and which is the newest, as Alembic says it."""

from __future__ import annotations

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from sqlalchemy import text

from webapi import create_app
from webapi.extensions import db
from webapi.models import revisions


def test_the_newest_is_the_one_that_no_other_follows(app: Flask) -> None:
    directory = app.extensions["migrate"].directory
    assert revisions.newest(directory) == ScriptDirectory(directory).get_current_head()


@pytest.mark.usefixtures("context")
def test_a_database_is_where_alembic_says_it_is() -> None:
    with db.engine.connect() as connection:
        assert revisions.current(connection) == MigrationContext.configure(connection).get_current_revision()
        assert revisions.current(connection) == revisions.newest(current_app.extensions["migrate"].directory)
        assert revisions.invalid_indexes(connection) == []


@pytest.mark.usefixtures("context")
def test_a_database_is_ready_when_nothing_is_missing() -> None:
    directory = current_app.extensions["migrate"].directory
    with db.engine.begin() as connection:
        assert revisions.is_ready(connection, directory)
        connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))
        assert not revisions.is_ready(connection, directory)


def test_an_empty_one_is_nowhere() -> None:
    with create_app({"DATABASE_URL": "sqlite://"}).app_context(), db.engine.connect() as connection:
        assert revisions.current(connection) is None
