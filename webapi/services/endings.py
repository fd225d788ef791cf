"""Requests that wait for the end of a job: one thread of a process asks for all of them, and only while some wait.

A request that waits holds its thread and no connection, so that only so many may wait at once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.extensions import db
from webapi.models import FINAL, Job

SHORTEST, LONGEST = 0.01, 0.25  # seconds between two looks at the ledger
PATIENCE = 0.1  # of the time that the newest waiter has waited

log = get_logger()


@dataclass
class Waiter:
    """One request that waits for one job."""

    job_id: UUID
    over: threading.Event = field(default_factory=threading.Event)
    since: float = field(default_factory=time.monotonic)


class Endings:
    """Tells waiting requests that their jobs are over. `most` of them may wait in this process at once."""

    def __init__(self, app: Flask, most: int) -> None:
        self._app = app
        self._places = threading.BoundedSemaphore(most) if most else None
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []
        self._watching = False

    def wait(self, job_id: UUID, seconds: float) -> bool:
        """Return when the job is over or the time is, at once when too many wait already. Whether it waited at all.

        What the caller's session has read is old afterwards, and it must hold no connection meanwhile.
        """
        if self._places is None or not self._places.acquire(blocking=False):
            return False
        db.session.rollback()  # gives the connection back
        waiter = Waiter(job_id)
        try:
            with self._lock:
                self._waiters.append(waiter)
                if not self._watching:
                    self._watching = True
                    threading.Thread(target=self._watch, name="endings", daemon=True).start()
            waiter.over.wait(seconds)
        finally:
            with self._lock:
                self._waiters.remove(waiter)
            self._places.release()
        return True

    def _watch(self) -> None:
        """Look until nobody waits any more."""
        while True:
            with self._lock:
                waiters = list(self._waiters)
                if not waiters:
                    self._watching = False
                    return
            pause = LONGEST
            try:
                self._look(waiters)
                waited = time.monotonic() - max(each.since for each in waiters)
                pause = min(LONGEST, max(SHORTEST, waited * PATIENCE))
            except SQLAlchemyError as error:  # each of them ends by its own time
                log.warning("endings not seen", error=type(error).__name__)
            time.sleep(pause)

    def _look(self, waiters: list[Waiter]) -> None:
        with self._app.app_context():
            query = select(Job.id).where(Job.id.in_({each.job_id for each in waiters}), Job.state.in_(FINAL))
            over = set(db.session.scalars(query))
        for each in waiters:
            if each.job_id in over:
                each.over.set()
