"""A worker that is asked to stop: its jobs end, or go back to the queue without being charged an attempt."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from uuid import UUID

from flask import Flask
from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import turns
from webapi.queue.acts import answer_limit
from webapi.queue.children import stop_soon, worker_id
from webapi.queue.ledger import move

ENDED = 3600.0  # seconds by which a lease that is ended by hand is over
LOOK = 0.2  # seconds between two looks at the ledger; longer than `sets.LATEST`
STOPPED = "its worker was asked to stop"

log = get_logger()


def drain(app: Flask, grace: float) -> None:
    """Wait up to `grace` seconds for this worker's jobs to end; hand back what still runs, and end its processes.

    An act that is under way is given its time to be answered first, up to `answer_limit()` seconds
    more: killing it then would leave a question that only a person can answer.
    """
    began = time.monotonic()
    stop_soon(app)
    with app.app_context():
        last = began + grace + answer_limit()
        while time.monotonic() < last + 1:
            # First, so that a hint that was just taken has become a claim, and what has ended is written down.
            time.sleep(LOOK)
            try:
                held = _held(app)
                if not held:
                    return
                if time.monotonic() >= began + grace:
                    _hand_back(held, whatever=time.monotonic() >= last)
            except SQLAlchemyError as error:
                db.session.rollback()
                log.warning("cannot hand back", error=type(error).__name__)


def _held(app: Flask) -> list[Job]:
    """The running jobs whose lease one of this worker's processes has."""
    db.session.rollback()
    mine = Job.lease_owner.startswith(worker_id(app) + ":", autoescape=True)
    return list(db.session.scalars(select(Job).where(Job.state == State.RUNNING, mine)))


def _hand_back(held: list[Job], *, whatever: bool) -> None:
    """From here on nothing that these processes write counts; then they end."""
    answered = ~exists().where(Effect.job_id == Job.id, Effect.state == EffectState.INFLIGHT)
    for job_id, attempt, owner in [(job.id, job.attempt, job.lease_owner) for job in held]:
        if hand_back(job_id, attempt, *(() if whatever else (answered,))) and owner:
            log.warning("job handed back", job=str(job_id), attempt=attempt)
            _end(int(owner.rpartition(":")[2]))


def hand_back(
    job_id: UUID, attempt: int, *conditions: ColumnElement[bool], reason: str = STOPPED, begun: bool = True
) -> bool:
    """Queue a running job again; its budget grows by the attempt that was begun for nothing. False when it moved on.

    It is the next, or, when it was not `begun`, where it was before it was claimed.

    The lock on its row, taken by a statement of its own, keeps a mark from slipping in between `conditions` and
    the change. Of a job that is to be cancelled the lease ends at once, and the relay gives it its verdict.
    """
    fence = (Job.id == job_id, Job.attempt == attempt, Job.state == State.RUNNING)
    with writing() as session:
        locked = session.execute(select(Job.cancel_requested_at).where(*fence).with_for_update()).first()
        if locked is None:
            return False
        if locked.cancel_requested_at is not None:
            ended = update(Job).where(*fence, *conditions).values(lease_until=after(-ENDED))
            done = session.execute(ended.execution_options(synchronize_session=False))
            return bool(done.rowcount)  # type: ignore[attr-defined]
        moved = move(
            session, State.RUNNING, State.QUEUED, *fence, *conditions, actor="worker",
            reason=f"handed back: {reason}", attempt_budget=Job.attempt_budget + 1, lease_owner=None, lease_until=None,
            published_at=None, publish_count=0, turn=turns.first_of_all(Job.kind) if begun else Job.turn,
        )  # fmt: skip
    return bool(moved)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
