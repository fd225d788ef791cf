"""A worker that takes no hints, while due work waits and it has free slots, leaves to be started again."""

from __future__ import annotations

import os
import threading
import time

from celery.worker import state as celery_state
from flask import Flask
from sqlalchemy import select
from structlog import get_logger

from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import after
from webapi.queue import gates

DEAF = 75  # exit status: EX_TEMPFAIL of sysexits.h
LAST_RESORT = 60.0  # seconds after which a worker that was told to leave, and does not, is ended

log = get_logger()


class Watchdog:
    """Looks at each pass of the relay. A lease's time of silence, with a reason to hear something, is too long."""

    def __init__(self, app: Flask, slots: int, queues: list[str]) -> None:
        self._app = app
        self._slots = slots
        self._queues = queues
        self._patience: float = app.config["LEASE_SECONDS"]
        self._taken = 0
        self._heard = time.monotonic()

    def look(self) -> None:
        """Leave, if this worker is deaf."""
        taken, clock = sum(celery_state.total_count.values()), time.monotonic()
        if taken != self._taken or len(celery_state.active_requests) >= self._slots:
            self._taken, self._heard = taken, clock
        if clock - self._heard < self._patience or celery_state.should_stop is not None:
            return
        if not self._app.extensions["hints"].answers():
            self._heard = clock  # nobody hears anything from a Redis that is away
        elif self._waiting():
            self._leave(clock - self._heard)

    def _waiting(self) -> bool:
        """Whether a job has been due, and rung for, for so long that a worker with free slots must have heard of it."""
        kinds = self._app.extensions["kinds"].values()
        ours = [kind.name for kind in kinds if not kind.gated]
        overdue = select(Job.id).where(
            Job.state == State.QUEUED,
            Job.queue.in_(self._queues),
            Job.kind.in_(ours),
            Job.run_at < after(-self._patience),
            Job.published_at < after(-self._patience / 2),
            ~gates.is_paused(),
        )
        return db.session.scalar(overdue.limit(1)) is not None

    def _leave(self, silent: float) -> None:
        log.error("worker is deaf: due work waits and no hint comes; leaving to be started again", silent=round(silent))
        celery_state.should_stop = DEAF
        end = threading.Timer(self._app.config["STOP_SECONDS"] + LAST_RESORT, os._exit, (DEAF,))
        end.daemon = True
        end.start()
