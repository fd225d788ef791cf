"""Heartbeats: one statement per process extends the leases of the attempts that run in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app
from sqlalchemy import and_, or_, update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import attempt_logs
from webapi.queue.attempt import Attempt, _current

log = get_logger()


class Heart:
    """Beats every third of a lease while at least one attempt is held, in a thread of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._attempts: dict[int, Attempt] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def hold(self, attempt: Attempt) -> None:
        with self._changed:
            self._attempts[id(attempt)] = attempt
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()

    def release(self, attempt: Attempt) -> None:
        with self._changed:
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
                renewed = session.execute(
                    update(Job)
                    .where(Job.state == State.RUNNING, or_(*(and_(*attempt.fence) for attempt in attempts)))
                    .values(lease_until=after(self._app.config["LEASE_SECONDS"]))
                    .returning(Job.id, Job.cancel_requested_at)
                    .execution_options(synchronize_session=False)
                )
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


@contextmanager
def holding(attempt: Attempt) -> Iterator[None]:
    """Make `attempt` the current one and keep its lease alive."""
    heart = current_app.extensions.get("heart")
    if heart is None:
        heart = current_app.extensions["heart"] = Heart(current_app._get_current_object())  # type: ignore[attr-defined]
    token = _current.set(attempt)
    heart.hold(attempt)
    try:
        yield
    finally:
        heart.release(attempt)
        _current.reset(token)
