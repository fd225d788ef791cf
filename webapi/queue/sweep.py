"""Sweeping: jobs whose worker died, and jobs whose time ran out (R3 and R4 of the protocol)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Flask
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session
from structlog import get_logger

from webapi import metrics
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import WAITING, Effect, EffectState, Job, State
from webapi.models.columns import after, now, read_once
from webapi.models.job import HAS_DEADLINE
from webapi.models.transaction import writing
from webapi.queue.children import dead_owners
from webapi.queue.followup import announce_end, announce_failure
from webapi.queue.ledger import move
from webapi.queue.receipts import settle_inflight, tally
from webapi.queue.waiting import end_waiting

GRACE = 5.0  # seconds past its end during which a lease may still be renewed
CRASH_CAP = 3  # a job that killed its worker so often is kept and tried no more
BATCH = 100

log = get_logger()


def sweep(app: Flask) -> None:
    """R3: give up the attempts whose lease ran out, and at once those whose process we know to be dead."""
    db.session.rollback()
    running = select(Job.lease_owner).where(Job.state == State.RUNNING).distinct()
    dead = dead_owners(app, [owner for owner in db.session.scalars(running) if owner])
    grace = min(GRACE, 0.2 * app.config["LEASE_SECONDS"])
    gone = Job.lease_until < after(-grace)
    gone = or_(gone, Job.lease_owner.in_(dead)) if dead else gone
    found = db.session.scalars(select(Job).where(Job.state == State.RUNNING, gone).limit(BATCH)).all()
    got_on = _got_on([job.id for job in found]) if found else set()
    fences = [
        (job.id, job.attempt, job.crash_count + 1, job.attempt >= job.attempt_budget, job.cancel_requested_at)
        for job in found
    ]
    for job_id, attempt, crashes, spent, asked in fences:
        fence = (Job.id == job_id, Job.attempt == attempt, gone)
        failpoint("R3a")
        with writing() as session:
            if asked is not None:
                _bury(session, fence, crashes, State.CANCELLED)
            elif job_id in got_on:
                _go_on(session, fence)
            elif spent or crashes >= CRASH_CAP:
                _bury(session, fence, crashes)
            else:
                _retry(session, fence, crashes)


def _got_on(job_ids: Sequence[UUID]) -> set[UUID]:
    """Those whose present attempt has settled an effect: no poison then, and not begun for nothing."""
    settled = Effect.state.in_([EffectState.DONE, EffectState.REFUSED])
    query = select(Effect.job_id).join(Job, Job.id == Effect.job_id)
    return set(db.session.scalars(query.where(Job.id.in_(job_ids), Effect.marked_by == Job.attempt, settled)))


def _go_on(session: Session, fence: tuple[ColumnElement[bool], ...]) -> None:
    for job in move(
        session, State.RUNNING, State.RETRYING, *fence, actor="relay",
        reason="the worker died; what it had done is done, the rest goes on", crash_count=0,
        attempt_budget=Job.attempt_budget + 1, run_at=now(), lease_owner=None, lease_until=None,
    ):  # fmt: skip
        metrics.LEASES_EXPIRED.add()
        log.warning("attempt lost", job=str(job.id), kind=job.kind, attempt=job.attempt)


def _retry(session: Session, fence: tuple[ColumnElement[bool], ...], crashes: int) -> None:
    for job in move(
        session, State.RUNNING, State.RETRYING, *fence, actor="relay",
        reason="the worker died; its lease is over", crash_count=crashes,
        run_at=after(2.0 * (crashes - 1)), lease_owner=None, lease_until=None,
    ):  # fmt: skip
        metrics.LEASES_EXPIRED.add()
        log.warning("attempt lost", job=str(job.id), kind=job.kind, attempt=job.attempt)


def _bury(session: Session, fence: tuple[ColumnElement[bool], ...], crashes: int, wanted: State = State.FAILED) -> None:
    """Never `failed` or `cancelled` over an act that may have happened."""
    job_id = session.scalar(select(Job.id).where(Job.state == State.RUNNING, *fence).with_for_update())
    if job_id is None:
        return
    settle_inflight(session, job_id)
    verdict = State.UNCERTAIN if tally(session, job_id).unanswered else wanted
    sentence = f"The worker died {crashes} time{'s' if crashes > 1 else ''} while doing this job."
    if wanted is State.CANCELLED:
        sentence = "Cancelled; its worker ended before it could stop by itself."
    for job in move(
        session, State.RUNNING, verdict, *fence, actor="relay", reason=sentence, crash_count=crashes,
        error_code="crashed", error_public=sentence, finished_at=now(), lease_owner=None, lease_until=None,
    ):  # fmt: skip
        announce_end(session, [job], verdict)
        if verdict is State.FAILED:
            announce_failure(session, job, "crashed", sentence)
        metrics.LEASES_EXPIRED.add()
        metrics.GIVEN_UP.add()
        log.error("job given up", job=str(job.id), kind=job.kind, crashes=crashes)


def expire() -> None:
    """R4: jobs whose deadline passed before they were begun, or before they were tried again."""
    db.session.rollback()
    due = Job.deadline_at <= read_once(now())
    late = select(Job.id).where(HAS_DEADLINE, due, Job.state.in_(WAITING)).order_by(Job.deadline_at).limit(BATCH)
    for job_id in db.session.scalars(late).all():
        with writing() as session:
            end_waiting(session, job_id, State.EXPIRED, "relay", "The deadline passed")
