"""Heartbeats: one statement per process extends the leases of the attempts that run in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Float, bindparam, update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.failpoints import failpoint
from webapi.models.columns import after
from webapi.models.lists import given
from webapi.models.transaction import writing
from webapi.queue import attempt_logs
from webapi.queue.attempt import Attempt, _current
from webapi.queue.ledger import JOBS, RUNNING

log = get_logger()


@cache
def _statement(dialect: str) -> Any:
    """One for any number of attempts: a condition for each would be compiled anew for each number."""
    rows = given(dialect)
    fence = (JOBS.c.id == rows.c.id, JOBS.c.attempt == rows.c.attempt, JOBS.c.state == RUNNING)
    renewed = update(JOBS).where(*fence).values(lease_until=after(bindparam("a_lease", type_=Float)))
    return renewed.returning(JOBS.c.id, JOBS.c.cancel_requested_at)


class Heart:
    """Beats every third of a lease while at least one attempt is held, in a thread of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._attempts: dict[int, Attempt] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def hold(self, attempts: Sequence[Attempt]) -> None:
        with self._changed:
            self._attempts |= {id(attempt): attempt for attempt in attempts}
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()

    def release(self, attempts: Sequence[Attempt]) -> None:
        with self._changed:
            for attempt in attempts:
                self._attempts.pop(id(attempt), None)

    def _run(self) -> None:
        interval = self._app.config["LEASE_SECONDS"] / 3
        while True:
            with self._changed:
                while not self._attempts:
                    self._changed.wait()
            time.sleep(interval)
            with self._changed:
                attempts = list(self._attempts.values())
            if attempts:
                self._beat(attempts)
                with self._app.app_context():
                    attempt_logs.keep(attempts)

    def _beat(self, attempts: list[Attempt]) -> None:
        """A beat that fails is only logged: an attempt that was not renewed stops by its own clock."""
        began = time.monotonic()
        try:
            with self._app.app_context(), writing() as session:
                failpoint("W2")
                connection = session.connection()
                renewed = connection.execute(_statement(connection.dialect.name), self._parameters(attempts))
                kept = {row.id: row.cancel_requested_at for row in renewed}
        except SQLAlchemyError as error:
            log.warning("heartbeat failed", error=type(error).__name__)
            return
        for attempt in attempts:
            if attempt.job_id not in kept:
                attempt.lost.set()
                continue
            attempt.renewed = began
            if kept[attempt.job_id] is not None:
                attempt.cancelled.set()

    def _parameters(self, attempts: list[Attempt]) -> dict[str, Any]:
        ordered = sorted(attempts, key=lambda attempt: attempt.job_id)  # as whoever else locks many
        ids, numbers = [each.job_id for each in ordered], [each.number for each in ordered]
        return {"ids": ids, "attempts": numbers, "documents": [], "a_lease": self._app.config["LEASE_SECONDS"]}


@contextmanager
def keeping(attempts: Sequence[Attempt]) -> Iterator[None]:
    """Keep the leases of `attempts` alive."""
    heart = current_app.extensions.get("heart")
    if heart is None:
        heart = current_app.extensions["heart"] = Heart(current_app._get_current_object())  # type: ignore[attr-defined]
    heart.hold(attempts)
    try:
        yield
    finally:
        heart.release(attempts)


@contextmanager
def doing(attempt: Attempt) -> Iterator[None]:
    """Make `attempt` the current one."""
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)
