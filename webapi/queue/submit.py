"""Acceptance: the job, its effects and its first event in one transaction, then a hint (S of the protocol)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import case, insert, literal, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger
from structlog.contextvars import get_contextvars
from uuid_utils.compat import uuid7

from webapi.errors import NotFound
from webapi.models import Job, State
from webapi.models.columns import Moment, after, now
from webapi.models.transaction import after_commit, writing
from webapi.queue.hints import Hint, Hints
from webapi.queue.job import Kind
from webapi.queue.ledger import Moved, record
from webapi.queue.receipts import plan

log = get_logger()


def submit(
    kind_name: str,
    payload: BaseModel,
    *,
    owner_id: UUID,
    delay: float | None = None,
    run_at: datetime | None = None,
    deadline_at: datetime | None = None,
    priority: int = 0,
    tags: Sequence[str] = (),
) -> Job:
    """Accept a job. When the outermost transaction has committed, the job will reach a final state.

    `delay` is in seconds and wins over `run_at`. Priority 0 is the highest. Inside `writing()` the job
    commits with the caller's own rows. Raises NotFound for a kind that nobody declared.
    """
    kind: Kind | None = current_app.extensions["kinds"].get(kind_name)
    if kind is None:
        raise NotFound(f"There is no kind of job called {kind_name!r}.")
    with writing() as session:
        return insert_job(
            session, kind, payload,
            owner_id=owner_id, delay=delay, run_at=run_at, deadline_at=deadline_at, priority=priority, tags=list(tags),
        )  # fmt: skip


def insert_job(
    session: Session,
    kind: Kind,
    payload: BaseModel,
    *,
    owner_id: UUID,
    delay: float | None = None,
    run_at: datetime | None = None,
    **columns: Any,
) -> Job:
    """Insert the job, its effects and its event; arrange the hint for after the commit."""
    when: Any = after(delay) if delay else now() if run_at is None else literal(run_at, Moment)
    # Whether the time has come is for the database to say; the web's clock may be off.
    state = case((when > now(), State.SCHEDULED.value), else_=State.QUEUED.value)
    statement = insert(Job).values(
        id=uuid7(),
        owner_id=owner_id,
        kind=kind.name,
        payload=payload.model_dump(mode="json"),
        queue=kind.queue,
        state=state if delay or run_at else State.QUEUED,
        run_at=when,
        published_at=now(),
        attempt_budget=kind.retry.budget,
        request_id=get_contextvars().get("request"),
        **columns,
    )
    job = session.scalars(statement.returning(Job)).one()
    accepted = Moved(job.id, job.owner_id, job.kind, job.queue, job.epoch, job.attempt)
    record(session, [accepted], None, State(job.state), actor="submit", reason="accepted")
    if kind.effects is not None:
        plan(session, job.id, kind, kind.effects(payload))
    if job.state == State.QUEUED:
        hint = Hint(job.kind, job.queue, job.id)
        after_commit(lambda: ring([hint]))
    return job


def ring(hints: Sequence[Hint]) -> None:
    """Send hints. Those that Redis did not confirm are left to the relay, which is told at once.

    Never raises: the jobs are accepted already, and a relay that was not told finds out by itself.
    """
    sender: Hints = current_app.extensions["hints"]
    if sender.ring(hints):
        return
    try:
        with writing() as session:
            session.execute(
                update(Job)
                .where(Job.id.in_([hint.job_id for hint in hints]), Job.state == State.QUEUED)
                .values(published_at=None)
                .execution_options(synchronize_session=False)
            )
    except SQLAlchemyError as error:
        log.warning("hints not marked as unsent", count=len(hints), error=type(error).__name__)
