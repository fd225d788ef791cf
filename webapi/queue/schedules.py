"""Firing schedules (R6 of the protocol): the job and the next fire time in one transaction, once for each fire time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile
from uuid import UUID

from flask import current_app
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from structlog import get_logger
from uuid_utils.compat import uuid7

from webapi.errors import Invalid, NotFound, QuotaReached
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import Job, Schedule
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import cron
from webapi.queue.job import Kind
from webapi.queue.payloads import NewerPayload
from webapi.queue.seals import Unopenable, opened, sealed, secret_fields
from webapi.queue.submit import insert_job

BATCH = 100  # schedules in one pass, and missed fire times of one schedule in one pass
PUNCTUAL = timedelta(minutes=1)  # with catchup "none", a fire time later than this is skipped

log = get_logger()


def fire_due() -> None:
    """Submit the jobs of all schedules whose time has come. One that cannot be fired says why, and stays due."""
    db.session.rollback()
    due = select(Schedule.id).where(Schedule.next_at <= now(), ~Schedule.paused)
    for schedule_id in db.session.scalars(
        due.order_by(Schedule.problem.is_not(None), Schedule.next_at).limit(BATCH)
    ).all():
        try:
            with writing() as session:
                _fire(session, schedule_id)
        except (Invalid, NewerPayload, NotFound, QuotaReached, Unopenable, ValidationError, ValueError) as error:
            _note(schedule_id, _why(error))


def _fire(session: Session, schedule_id: UUID) -> None:
    clock: datetime = session.execute(select(now())).scalar_one()
    # Not against jobs that refer to it: whoever submits one of them has locked the owner, whom this is to lock next.
    row = session.execute(
        select(Schedule)
        .where(Schedule.id == schedule_id, Schedule.next_at <= now(), ~Schedule.paused)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        return  # another relay was here
    kind = _kind(row.kind)
    payload = opened(kind, kind.upgraded(row.payload, row.payload_version), row.owner_id)
    missed = _missed(row, clock)
    for at in missed:
        if not _fired(session, row.id, at):
            due = kind.recur(payload, row.owner_id, at, row.timezone) if kind.recur else payload
            insert_job(
                session, kind, due, id=uuid7(), owner_id=row.owner_id, schedule_id=row.id, scheduled_for=at,
                callback_url=row.callback_url, quota=current_app.config["MAX_OPEN_JOBS"],
            )  # fmt: skip
    last = missed[-1] if row.catchup == "all" else clock
    row.next_at, row.problem = cron.first_after(row.cron, row.timezone, last), None
    if secret_fields(kind.payload):
        row.payload = sealed(payload, row.owner_id)  # under the newest key, so that the old ones can go
        row.payload_version = kind.version
    session.flush()
    failpoint("B1")
    log.info("schedule fired", schedule=str(row.id), kind=row.kind, jobs=len(missed))


def _missed(row: Schedule, clock: datetime) -> list[datetime]:
    """The fire times up to now that are to become jobs, oldest first."""
    if row.catchup == "all":
        later = takewhile(lambda at: at <= clock, cron.fire_times(row.cron, row.timezone, row.next_at))
        return [row.next_at, *islice(later, BATCH - 1)]
    at = cron.newest(row.cron, row.timezone, row.next_at, clock)
    return [] if row.catchup == "none" and clock - at > PUNCTUAL else [at]


def _fired(session: Session, schedule_id: UUID, at: datetime) -> bool:
    """Whether this fire time has its job; the unique constraint behind it would end the whole transaction."""
    known = select(Job.id).where(Job.schedule_id == schedule_id, Job.scheduled_for == at)
    return session.scalar(known) is not None


def _kind(name: str) -> Kind:
    kind: Kind | None = current_app.extensions["kinds"].get(name)
    if kind is None:
        raise NotFound(f"There is no kind of job called {name!r} any more.")
    return kind


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "Its kind no longer takes this payload; edit the schedule."
    if isinstance(error, Invalid) and error.faults:
        return " ".join(fault.message for fault in error.faults)[:500]
    return str(error)[:500]


def _note(schedule_id: UUID, problem: str) -> None:
    with writing() as session:
        changed = session.execute(
            update(Schedule)
            .where(Schedule.id == schedule_id, Schedule.problem.is_distinct_from(problem))
            .values(problem=problem)
            .execution_options(synchronize_session=False)
        )
    if changed.rowcount:  # type: ignore[attr-defined]
        log.warning("schedule not fired", schedule=str(schedule_id), why=problem)
