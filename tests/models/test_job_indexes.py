"""What refers to a job is found by an index, and PostgreSQL keeps the indexes of jobs in shape."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from webapi.extensions import db

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("table", ["jobs", "job_events", "effects"])
def test_whoever_deletes_a_row_finds_what_refers_to_it_by_an_index(app: Flask, table: str) -> None:
    inspector = inspect(db.engine)
    for other in db.metadata.sorted_tables:
        heads: list[Any] = [inspector.get_pk_constraint(other.name)["constrained_columns"][:1]]
        heads += [each["column_names"][:1] for each in inspector.get_indexes(other.name)]
        heads += [each["column_names"][:1] for each in inspector.get_unique_constraints(other.name)]
        for key in inspector.get_foreign_keys(other.name):
            assert key["referred_table"] != table or key["constrained_columns"] in heads, f"{other.name}: {key}"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_tidies_the_jobs_by_their_turnover(app: Flask) -> None:
    (settings,) = db.session.execute(text("SELECT reloptions FROM pg_class WHERE relname = 'jobs'")).one()
    assert "autovacuum_analyze_scale_factor=0" in settings
    assert "vacuum_index_cleanup=on" in settings
