"""Connections that rest in the pool, and what becomes of them meanwhile."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tests.waiting import until
from webapi.extensions import db
from webapi.models import resting

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
pytestmark = [ON_POSTGRESQL, pytest.mark.usefixtures("context")]
PID = text("SELECT pg_backend_pid()")
LAST = "SELECT query FROM pg_stat_activity WHERE pid = %s"
ALIVE = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"


def pid() -> int:
    """Of the session that the pool lends; a transaction of its own."""
    with db.engine.connect() as connection:
        return int(connection.execute(PID).scalar_one())


def observer() -> psycopg.Connection[tuple[Any, ...]]:
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


@pytest.mark.parametrize(("sure", "asked"), [(60.0, False), (-1.0, True)], ids=["just used", "rested for long"])
def test_one_is_asked_only_when_it_rested_for_long(monkeypatch: pytest.MonkeyPatch, sure: float, asked: bool) -> None:
    monkeypatch.setattr(resting, "SURE", sure)
    mine = pid()
    with observer() as other:
        before = other.execute(LAST, (mine,)).fetchone()
        with db.engine.connect():
            assert (other.execute(LAST, (mine,)).fetchone() != before) == asked


def test_those_that_the_server_ended_are_replaced_at_once() -> None:
    with db.engine.connect() as one, db.engine.connect() as two:
        before = {one.execute(PID).scalar_one(), two.execute(PID).scalar_one()}
    with observer() as other:
        other.execute(END_OTHERS, (other.info.backend_pid,))
        until(lambda: other.execute(ALIVE, (list(before),)).fetchone() == (0,), what="both to end")
    with db.engine.connect() as one, db.engine.connect() as two:
        after = {one.execute(PID).scalar_one(), two.execute(PID).scalar_one()}
    assert before.isdisjoint(after)
