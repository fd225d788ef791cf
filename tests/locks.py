"""Two transactions on PostgreSQL that get into each other's way at a moment that a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.waiting import until
from webapi.extensions import db
from webapi.models.transaction import writing

Act = Callable[[Session], object]


def waiting() -> int:
    """How many transactions wait for a lock."""
    with db.engine.connect() as connection:
        waits = "datname = current_database() AND wait_event_type = 'Lock'"
        return int(connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {waits}")).scalar_one())


@contextmanager
def in_the_way(app: Flask, first: Act, then: Act) -> Iterator[None]:
    """Another transaction: `first` before the block, `then` as soon as the block waits for it, and a commit.

    A deadlock fails the test on whichever side PostgreSQL ends.
    """
    locked, failures = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            with app.app_context(), writing() as session:
                first(session)
                locked.set()
                until(lambda: waiting() > 0, what="the block to wait for this transaction")
                then(session)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to say it
            failures.append(error)
        finally:
            locked.set()

    other = threading.Thread(target=run)
    other.start()
    assert locked.wait(10)
    try:
        yield
    finally:
        other.join()
    assert failures == []


def can_be_referred_to(table: str, row_id: UUID) -> bool:
    """Whether a row that refers to this one could be inserted now, and would not wait for the transaction that is open.

    Raises OperationalError when it would have to wait.
    """
    with db.engine.connect() as connection:
        asked = text(f"SELECT id FROM {table} WHERE id = :id FOR KEY SHARE NOWAIT")
        return connection.execute(asked, {"id": row_id}).first() is not None
