"""A worker that takes no hints, while due work waits and it has free slots, leaves to be started again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from celery.worker import state as celery_state
from flask import Flask, current_app
from sqlalchemy import select
from structlog import get_logger

from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import after
from webapi.queue import gates
from webapi.queue.republish import beyond

DEAF = 75  # exit status: EX_TEMPFAIL of sysexits.h
PATIENCE = 15.0  # seconds, at least: a connection that is being made again is no deafness
IN_VAIN = 2  # repetitions of a hint; one may have been lost
LAST_RESORT = 60.0  # seconds after which a worker that was told to leave, and does not, is ended

log = get_logger()


class Watchdog:
    """Looks at each pass of the relay. A lease's time of silence, with a reason to hear something, is too long."""

    def __init__(self, app: Flask, slots: int, queues: list[str]) -> None:
        self._app = app
        self._slots = slots
        self._queues = queues
        self._patience = max(PATIENCE, app.config["LEASE_SECONDS"])
        self._taken = 0
        self._heard = time.monotonic()

    def look(self) -> None:
        """Leave, if this worker is deaf."""
        taken, clock = sum(celery_state.total_count.values()), time.monotonic()
        busy = len(celery_state.active_requests) >= self._slots
        if taken != self._taken or busy or not self._could_hear(clock - self._heard):
            self._taken, self._heard = taken, clock
        elif clock - self._heard > self._patience and celery_state.should_stop is None:
            self._leave(clock - self._heard)

    def _could_hear(self, silent: float) -> bool:
        """Whether there is something to hear: a hint in Redis, or a job for which hints were sent and sent again."""
        waiting = self._app.extensions["hints"].waiting(self._queues)
        if waiting is None:
            return False  # nobody hears anything from a Redis that is away
        return waiting > 0 or rung_in_vain(self._queues, silent)

    def _leave(self, silent: float) -> None:
        log.error("worker is deaf: due work waits and no hint comes; leaving to be started again", silent=round(silent))
        celery_state.should_stop = DEAF
        end = threading.Timer(self._app.config["STOP_SECONDS"] + LAST_RESORT, os._exit, (DEAF,))
        end.daemon = True
        end.start()


def rung_in_vain(queues: Sequence[str], silent: float) -> bool:
    """Whether hints were sent again and again for a job of these queues, the last one in these `silent` seconds.

    A hint from before was heard, though another job went by it: one of the kind serves as well as the other, and the
    job that is left is rung for again later. Jobs that this version cannot run say nothing of how well it hears.
    """
    kinds = list(current_app.extensions["kinds"].values())
    in_vain = select(Job.id).where(
        Job.state == State.QUEUED,
        Job.queue.in_(queues),
        Job.kind.in_([kind.name for kind in kinds if not kind.gated]),
        ~beyond(kinds),
        Job.publish_count >= IN_VAIN,
        Job.published_at > after(-silent),
        ~gates.is_paused(),
    )
    return db.session.scalar(in_vain.limit(1)) is not None
