"""The migrations make what the models say, on both databases, there and back."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import CheckConstraint, inspect

from tests.contracts.source import ROOT
from webapi.extensions import db

pytestmark = pytest.mark.usefixtures("context")
REMEDY = 'the models and the migrations differ: make migrate NAME="what changes"'


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, db.metadata))


def test_the_migrations_make_what_the_models_say() -> None:
    assert differences() == [], REMEDY


def test_every_check_of_the_models_is_in_the_database() -> None:
    """Alembic does not compare these."""
    inspector = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        checks = {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
        assert {each["name"] for each in inspector.get_check_constraints(table.name)} == checks, REMEDY


def test_down_and_up_again_is_where_it_began(app: Flask) -> None:
    downgrade(revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade()
    assert differences() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_migrations_are_one_line_and_each_says_what_it_does(app: Flask) -> None:
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    revisions = list(scripts.walk_revisions())
    assert len(scripts.get_heads()) == 1, "two migrations follow the same one: give the younger the other as its parent"
    assert all((each.doc or "").strip() for each in revisions)
