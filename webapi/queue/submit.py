"""Acceptance: the job, its effects and its first event in one transaction, then a hint (S of the protocol)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import case, insert, literal, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger
from structlog.contextvars import get_contextvars
from uuid_utils.compat import uuid7

from webapi import metrics, traces
from webapi.errors import DatabaseAway, NotFound
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.columns import Moment, after, now
from webapi.models.transaction import after_commit, in_transaction, writing
from webapi.queue import turns
from webapi.queue.hints import Hint, Hints
from webapi.queue.idempotency import Once, take
from webapi.queue.job import Kind
from webapi.queue.ledger import CALLBACK, Moved, record
from webapi.queue.quotas import Wanted, count_in
from webapi.queue.receipts import plan
from webapi.queue.seals import sealed

log = get_logger()


def submit(
    kind_name: str,
    payload: BaseModel,
    *,
    owner_id: UUID,
    job_id: UUID | None = None,
    once: Once | None = None,
    **options: Any,
) -> Job:
    """Accept a job. When the outermost transaction has committed, the job will reach a final state.

    `options` are `delay` (seconds; it wins over `run_at`), `run_at`, `deadline_at`, `priority` (0 is the
    highest), `tags`, `callback_url`, which is told of its end, and `quota`, the most jobs that the owner may
    have open. Inside `writing()` the job commits with the caller's own rows. With `once`, a request that was accepted
    before returns its job, whose id then is not `job_id`.

    Raises NotFound for a kind that nobody declared, KeyReused, QuotaReached, and DatabaseAway when nobody can say
    yet whether the job was accepted; asking again under the same key is safe.
    """
    kind: Kind | None = current_app.extensions["kinds"].get(kind_name)
    if kind is None:
        raise NotFound(f"There is no kind of job called {kind_name!r}.")
    job_id, began, joined = job_id or uuid7(), time.perf_counter(), in_transaction()
    try:
        with traces.accepting(job_id, kind_name), writing() as session:
            failpoint("S1b")
            after_commit(lambda: failpoint("S2c"))
            known = take(session, once, owner_id, job_id) if once else None
            if known is not None:
                return session.get_one(Job, known)
            job = insert_job(session, kind, payload, id=job_id, owner_id=owner_id, **options)
            after_commit(lambda: metrics.ACCEPT_SECONDS.observe(time.perf_counter() - began, kind_name))
            failpoint("S2a")
            return job
    except DBAPIError as error:
        if joined or not error.connection_invalidated:
            raise
        job = committed(job_id)
        ring([Hint(job.kind, job.queue, job.id)])
        return job


def committed(job_id: UUID) -> Job:
    """The connection broke, perhaps after the commit: only the ledger knows. Raises DatabaseAway."""
    try:
        job = db.session.get(Job, job_id)
    except DBAPIError:
        db.session.rollback()
        raise DatabaseAway from None
    if job is None:
        raise DatabaseAway
    return job


def insert_job(
    session: Session,
    kind: Kind,
    payload: BaseModel,
    *,
    delay: float | None = None,
    run_at: datetime | None = None,
    quota: int | None = None,
    **columns: Any,
) -> Job:
    """Insert the job, its effects and its event; arrange the hint for after the commit. Raises QuotaReached."""
    when: Any = after(delay) if delay else now() if run_at is None else literal(run_at, Moment)
    # Whether the time has come is for the database to say; the web's clock may be off.
    state = case((when > now(), State.SCHEDULED.value), else_=State.QUEUED.value)
    owner_id: UUID = columns["owner_id"]
    acts = acts_of(kind, payload)
    count_in(session, owner_id, wanted(kind, 1, mails_of(kind, payload, acts), quota, columns))
    statement = insert(Job).values(
        kind=kind.name,
        payload=sealed(payload, owner_id),
        payload_version=kind.version,
        turn=turns.last_of(kind.name, owner_id),
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
    record(session, [accepted], None, State(job.state), actor="submit", reason=_reason(columns))
    plan(session, job.id, kind, acts)
    after_commit(lambda: metrics.ACCEPTED.add(kind.name))
    if job.state == State.QUEUED:
        hint = Hint(job.kind, job.queue, job.id)
        after_commit(lambda: ring([hint]))
    return job


def acts_of(kind: Kind, payload: BaseModel) -> list[str]:
    """The effects that a job of this payload is going to have."""
    return list(dict.fromkeys(kind.effects(payload))) if kind.effects else []


def mails_of(kind: Kind, payload: BaseModel, acts: Sequence[str]) -> int:
    """How many mails a job of this payload sends by itself and by what follows it."""
    return (len(acts) if kind.effect == "mail" else 0) + (kind.mails(payload) if kind.mails else 0)


def wanted(kind: Kind, jobs: int, mails: int, quota: int | None, columns: Mapping[str, Any]) -> Wanted:
    """What such jobs count for. Telling of a job's end is no job of the owner's.

    The sandbox sends no mail, and the mails of a job that belongs to another were counted with that one.
    """
    part = columns.get("parent_id") is not None
    free = part or columns.get("sandbox")
    return Wanted(0, 0, None) if part and kind.name == CALLBACK else Wanted(jobs, 0 if free else mails, quota)


def _reason(columns: dict[str, Any]) -> str:
    at: datetime | None = columns.get("scheduled_for")
    return f"fired by its schedule for {at.isoformat()}" if at else "accepted"


def ring(hints: Sequence[Hint]) -> None:
    """Send hints. Those that Redis did not confirm are left to the relay, which is told at once.

    Never raises: the jobs are accepted already, and a relay that was not told finds out by itself.
    """
    failpoint("S3a")
    sender: Hints = current_app.extensions["hints"]
    with traces.step("hints", hints=len(hints)):
        unsent = sender.ring(hints)
    if not unsent:
        failpoint("S3c")
        return
    try:
        with writing() as session:
            session.execute(
                update(Job)
                .where(Job.id.in_([hint.job_id for hint in unsent]), Job.state == State.QUEUED)
                .values(published_at=None)
                .execution_options(synchronize_session=False)
            )
    except SQLAlchemyError as error:
        log.warning("hints not marked as unsent", count=len(unsent), error=type(error).__name__)
