"""Who watches which job: one look at the ledger tells all the watchers of a process what has changed.

A thread of its own looks twice a second while anybody watches, in one statement for all the jobs that are watched.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.extensions import db
from webapi.models import AttemptLog, Job, State

INTERVAL = 0.5  # seconds between two looks
BATCHES = 25.0  # a second that one process sends at most about progress, to all of its watchers together

log = get_logger()


@dataclass(frozen=True)
class Seen:
    """What a watcher can tell apart. `shape` stays the same when nothing but progress is made."""

    state: State
    shape: str
    percent: int
    note: str | None

    @property
    def id(self) -> str:
        """The id of the event that tells of it."""
        return f"{self.shape}-{self.percent}"


class Watch:
    """One watcher's place. `latest` is None when the job is gone."""

    def __init__(self, job_id: UUID, latest: Seen | None) -> None:
        self.job_id = job_id
        self.latest = latest
        self.changed = threading.Event()

    def tell(self, seen: Seen | None) -> None:
        if seen != self.latest:
            self.latest = seen
            self.changed.set()


class Watchers:
    """The places of one process, LIVE_WATCHERS of them."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._most: int = app.config["LIVE_WATCHERS"]
        self._places: set[Watch] = set()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self.drawing = threading.Lock()  # whoever draws for watchers leaves room for the others

    def enter(self, job_id: UUID) -> Watch | None:
        """A place, to be given back by `leave`; None when all are taken."""
        with self._change:
            if len(self._places) >= self._most:
                return None
            place = Watch(job_id, None)
            self._places.add(place)
        try:
            place.latest = look([job_id]).get(job_id)
        except BaseException:
            self.leave(place)
            raise
        place.changed.clear()  # the thread may have seen the place before it knew anything
        with self._change:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchers", daemon=True)
                self._thread.start()
            self._change.notify()
        return place

    def leave(self, place: Watch) -> None:
        with self._change:
            self._places.discard(place)

    @property
    def pace(self) -> float:
        """Seconds between two batches to one watcher when only progress was made."""
        return max(INTERVAL, len(self._places) / BATCHES)

    def __len__(self) -> int:
        return len(self._places)

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._places:
                    self._change.wait()
                places = list(self._places)
            self._tell(places)
            time.sleep(INTERVAL)

    def _tell(self, places: list[Watch]) -> None:
        try:
            with self._app.app_context():
                found = look(sorted({place.job_id for place in places}))
        except SQLAlchemyError as error:
            log.warning("watched jobs not read", watchers=len(places), error=type(error).__name__)
            return
        for place in places:
            place.tell(found.get(place.job_id))


def look(job_ids: list[UUID]) -> dict[UUID, Seen]:
    """How these jobs are now, in one statement."""
    said = select(func.max(AttemptLog.changed_at)).where(AttemptLog.job_id == Job.id).scalar_subquery()
    facts = (Job.state, Job.attempt, Job.epoch, Job.cancel_requested_at, Job.run_at, said, Job.progress)
    db.session.rollback()
    rows = db.session.execute(select(Job.id, Job.progress_note, *facts).where(Job.id.in_(job_ids)))
    return {row[0]: _seen(*row[1:]) for row in rows}


def _seen(note: str | None, state: Any, *facts: Any) -> Seen:
    *others, percent = facts
    shape = blake2b(repr((str(state), others)).encode(), digest_size=8).hexdigest()
    return Seen(State(state), shape, percent, note)
