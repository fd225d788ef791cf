"""Somebody can say stop while a thread works."""

from __future__ import annotations

import threading

import duckdb
import pytest

from webapi.services.formats.ticking import while_ticking

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7"


def test_the_work_is_done_while_somebody_listens() -> None:
    heard, over = [], threading.Event()

    def tick() -> None:
        heard.append(1)
        over.set()

    assert while_ticking(lambda: over.wait(10), tick)
    assert len(heard) == 1


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        while_ticking(work, lambda: None)


def test_a_tick_that_raises_stops_the_work() -> None:
    before = threading.active_count()

    def tick() -> None:
        raise InterruptedError

    with duckdb.connect() as database, pytest.raises(InterruptedError):
        while_ticking(lambda: database.execute(ENDLESS), tick, database.interrupt)
    assert threading.active_count() == before
