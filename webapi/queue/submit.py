"""Acceptance: the job, its effects and its first event in one transaction, then a hint (S of the protocol)."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from structlog import get_logger
from uuid_utils.compat import uuid7

from webapi import metrics, traces
from webapi.errors import DatabaseAway, NotFound
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import Job
from webapi.models.transaction import after_commit, in_transaction, writing
from webapi.queue.attempt import current
from webapi.queue.combining import Combining
from webapi.queue.gathering import Submission
from webapi.queue.idempotency import Once, take
from webapi.queue.job import Kind
from webapi.queue.orders import Order, ordered
from webapi.queue.placing import place
from webapi.queue.quotas import count_in
from webapi.queue.ringing import hints_of, ring

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
    before returns its job, whose id then is not `job_id`. A new job is returned as an object of no session.

    Raises NotFound for a kind that nobody declared, KeyReused, QuotaReached, and DatabaseAway when nobody can say
    yet whether the job was accepted; asking again under the same key is safe.
    """
    kind: Kind | None = current_app.extensions["kinds"].get(kind_name)
    if kind is None:
        raise NotFound(f"There is no kind of job called {kind_name!r}.")
    began = time.perf_counter()
    mine = Submission(ordered(kind, payload, id=job_id or uuid7(), owner_id=owner_id, **options), once)
    with traces.accepting(mine.order.id, kind_name):
        if in_transaction():
            return _alone(mine)
        # A time limit may strike a worker anywhere, and who was struck while he led would lead for ever.
        job = _sure(mine) if current() else _gathered(mine)
    metrics.ACCEPT_SECONDS.observe(time.perf_counter() - began, kind_name)
    return job


def insert_job(session: Session, kind: Kind, payload: BaseModel, **columns: Any) -> Job:
    """Insert a job in the transaction of `session`, and arrange its hint for after the commit. Raises QuotaReached."""
    return _insert(session, ordered(kind, payload, **columns))


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


def _gathered(mine: Submission) -> Job:
    """With those that come at the same moment."""
    gathering: Combining[Submission] = current_app.extensions["submissions"]
    gathering.put(mine)
    if mine.doubt:
        mine.job = committed(mine.order.id)
        ring(hints_of([mine.job]))
    return mine.job or _sure(mine)


def _sure(mine: Submission) -> Job:
    """Alone, and in the end sure of what became of it. Raises KeyReused, QuotaReached and DatabaseAway."""
    try:
        return _alone(mine)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        job = committed(mine.order.id)
        ring(hints_of([job]))
        return job


def _alone(mine: Submission) -> Job:
    with writing() as session:
        failpoint("S1b")
        after_commit(lambda: failpoint("S2c"))
        known = take(session, mine.once, mine.order.owner_id, mine.order.id) if mine.once else None
        if known is not None:
            return session.get_one(Job, known)
        job = _insert(session, mine.order)
        failpoint("S2a")
        return job


def _insert(session: Session, order: Order) -> Job:
    count_in(session, order.owner_id, order.wanted)
    (job,) = place(session, [order])
    after_commit(lambda: metrics.ACCEPTED.add(job.kind))
    after_commit(lambda: ring(hints_of([job])))
    return job
