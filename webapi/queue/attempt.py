"""The attempt that is running here: what a kind's function may ask and say about it."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, update

from webapi.models import Job, State
from webapi.models.transaction import writing
from webapi.queue.files import store
from webapi.queue.job import Kind
from webapi.queue.journal import Journal

PROGRESS_INTERVAL = 0.5  # seconds; a loop may report each row without a write for each
LONGEST_NAME = 200  # bytes; no file system that we know takes more than 255


class Replaced(Exception):
    """Another attempt owns this job. Stop: nothing that this one writes counts."""


class Cancelled(Exception):
    """Somebody asked for this job to be cancelled. Stop: no further effect may begin."""


class Snooze(Exception):
    """It is not the time for this job. It runs again after `seconds`, and is not charged an attempt."""

    def __init__(self, seconds: float, reason: str) -> None:
        self.seconds, self.reason = seconds, reason
        super().__init__(reason)


@dataclass
class Attempt:
    """One claim of a job by this process. `number` is the fence of everything it writes."""

    job_id: UUID
    owner_id: UUID
    kind: Kind
    number: int
    epoch: int
    budget: int
    crash_count: int
    payload: dict[str, Any]
    request_id: str | None
    sandbox: bool = False
    payload_version: int = 1
    began: float = field(default_factory=time.monotonic)
    renewed: float = field(default_factory=time.monotonic)
    lost: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    files: dict[str, str] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    percent: int = 0
    reported: float = 0.0
    took: float = 0.0

    @property
    def fence(self) -> tuple[ColumnElement[bool], ...]:
        """What every write about this attempt must meet."""
        return Job.id == self.job_id, Job.attempt == self.number

    def still_mine(self) -> None:
        """Raises Replaced when the lease is lost, or could have been; Cancelled when somebody asked for it."""
        if self.lost.is_set() or time.monotonic() - self.renewed > 0.8 * current_app.config["LEASE_SECONDS"]:
            raise Replaced
        if self.cancelled.is_set():
            raise Cancelled


_current: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def current() -> Attempt | None:
    """The attempt in whose course this code runs; None when a kind's function is called by itself."""
    return _current.get()


def progress(percent: float, note: str | None = None) -> None:
    """Say how far this attempt is (0 to 100) and, in a few words, what it is doing.

    It may be called as often as you like. Within an attempt the figure never falls. Raises Replaced
    when the job is no longer this attempt's, Cancelled when it is to stop.
    """
    attempt = current()
    if attempt is None:
        return
    attempt.still_mine()
    attempt.percent = max(attempt.percent, min(100, int(percent)))
    if time.monotonic() - attempt.reported < PROGRESS_INTERVAL:
        return
    attempt.reported = time.monotonic()
    with writing() as session:
        written = session.execute(
            update(Job)
            .where(*attempt.fence, Job.state == State.RUNNING)
            .values(progress=attempt.percent, progress_note=note and note[:200])
            .returning(Job.cancel_requested_at)
            .execution_options(synchronize_session=False)
        ).first()
    if written is None:
        attempt.lost.set()
    elif written.cancel_requested_at is not None:
        attempt.cancelled.set()
    attempt.still_mine()


def new_file(name: str, media_type: str) -> Path:
    """Where to write a file that this job produces; it becomes the artifact `name` when the job ends well."""
    attempt = current()
    if attempt is None:
        raise RuntimeError("Files belong to a job: call this from a kind's function that a worker runs.")
    if "/" in name or name in {"", ".", ".."} or len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"{name!r} is no name for a file.")
    attempt.files[name] = media_type
    return store().staging(attempt.job_id, attempt.number) / name
