"""Connections that rest in the pool, and what becomes of them meanwhile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from flask import Flask
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from tests.proxy import Link, Proxy, proxy
from tests.waiting import until
from webapi.extensions import db
from webapi.models import resting

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
pytestmark = [ON_POSTGRESQL, pytest.mark.usefixtures("context")]
PID = text("SELECT pg_backend_pid()")
LAST = "SELECT query_start FROM pg_stat_activity WHERE pid = %s"
ALIVE = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"


def pid() -> int:
    """Of the session that the pool lends; a transaction of its own."""
    with db.engine.connect() as connection:
        return int(connection.execute(PID).scalar_one())


@pytest.fixture
def observer() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(("sure", "asked"), [(60.0, False), (-1.0, True)], ids=["just used", "rested for long"])
def test_one_is_asked_only_when_it_rested_for_long(
    observer: psycopg.Connection[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, sure: float, asked: bool
) -> None:
    monkeypatch.setattr(resting, "SURE", sure)
    mine = pid()
    before = observer.execute(LAST, (mine,)).fetchone()
    with db.engine.connect():
        assert (observer.execute(LAST, (mine,)).fetchone() != before) == asked


def test_those_that_the_server_ended_are_replaced_at_once(observer: psycopg.Connection[tuple[Any, ...]]) -> None:
    with db.engine.connect() as one, db.engine.connect() as two:
        before = {one.execute(PID).scalar_one(), two.execute(PID).scalar_one()}
    observer.execute(END_OTHERS, (observer.info.backend_pid,))
    until(lambda: observer.execute(ALIVE, (list(before),)).fetchone() == (0,), what="both to end")
    with db.engine.connect() as one, db.engine.connect() as two:
        after = {one.execute(PID).scalar_one(), two.execute(PID).scalar_one()}
    assert before.isdisjoint(after)


class Mute(Link):
    """Loses what the server says once it is told to."""

    told = threading.Event()

    def from_server(self, data: bytes) -> bytes:
        return b"" if self.told.is_set() else data


@pytest.fixture
def between(database_url: str, make_app: Callable[..., Flask]) -> Iterator[Proxy]:
    """An app whose way to the server somebody can cut; it is the current one."""
    Mute.told.clear()
    url = make_url(database_url)
    with proxy(url.port or 5432, Mute) as cutter:
        there = url.set(port=cutter.port).render_as_string(hide_password=False)
        with make_app(DATABASE_URL=there).app_context():
            yield cutter
            db.engine.dispose()


def test_a_time_limit_that_strikes_while_one_is_asked_is_not_hidden(
    between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery tells it once: whoever swallowed it would let the job run on."""
    monkeypatch.setattr(resting, "SURE", -1.0)

    def ring(*_: Any) -> None:
        raise SoftTimeLimitExceeded

    mine = pid()
    Mute.told.set()
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(SoftTimeLimitExceeded):
            pid()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    Mute.told.clear()
    assert pid() != mine


def test_a_server_that_is_gone_is_told_as_an_error_of_the_database(between: Proxy) -> None:
    pid()
    between.close()
    with pytest.raises(OperationalError):
        pid()
