"""The same question asked twice is answered once: a build waits for one that runs, or takes what one has made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapi.models import Artifact, Job, JobEvent, ReportBuild, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import Snooze, new_file
from webapi.queue.attempt import Attempt
from webapi.queue.files import store

LOOK_AGAIN, LONGEST_WAIT = 1.0, 30.0  # seconds


@dataclass(frozen=True)
class Found:
    """What another job has made: its manifest, and its files as (name, media type, SHA-256)."""

    job_id: UUID
    manifest: dict[str, Any]
    files: list[tuple[str, str, str]]


def earlier(attempt: Attempt, fingerprint: str, max_age: int | None) -> Found | None:
    """A finished build whose files answer this question; None when this attempt is to build, and others wait for it.

    `max_age` is in seconds since the other one began. Without it, one that ended after this job had become due will
    do, and with 0 none does. Raises Snooze while another build runs that will do.
    """
    try:
        return _earlier(attempt, fingerprint, max_age)
    except IntegrityError:  # another one began it at this moment
        raise Snooze(LOOK_AGAIN, "Another job builds the same report.") from None


def _earlier(attempt: Attempt, fingerprint: str, max_age: int | None) -> Found | None:
    with writing() as session:
        row = _newest(session, fingerprint)
        mine = (ReportBuild.job_id == attempt.job_id, ReportBuild.fingerprint != fingerprint)
        session.execute(delete(ReportBuild).where(*mine))  # its files will be others than those of an earlier run
        if row is None:
            session.execute(insert(ReportBuild).values(fingerprint=fingerprint, job_id=attempt.job_id))
            return None
        other = session.get(Job, row.job_id, populate_existing=True)
        if other is not None and other.id != attempt.job_id and max_age != 0:
            if other.state == State.RUNNING:
                raise Snooze(_patience(session, other), f"The job {other.id} builds the same report.")
            if _will_do(session, other, row.as_of, max_age, attempt) and (found := _found(session, other)):
                return found
        session.execute(
            update(ReportBuild)
            .where(ReportBuild.fingerprint == fingerprint)
            .values(job_id=attempt.job_id, as_of=now())
            .execution_options(synchronize_session=False)
        )
    return None


def copied(found: Found) -> dict[str, Any]:
    """Give this job the files of the other one. Returns its manifest, which says whose it is."""
    for name, media_type, sha256 in found.files:
        store().copy(sha256, new_file(name, media_type))
    return {**found.manifest, "reused_from": str(found.job_id)}


def _patience(session: Session, other: Job) -> float:
    """The longer it has been running, the longer nobody looks: each look is a row in the history of a job."""
    clock: datetime = session.execute(select(now())).scalar_one()
    running = (clock - (other.started_at or clock)).total_seconds()
    return min(max(LOOK_AGAIN, running / 4), LONGEST_WAIT)


def _newest(session: Session, fingerprint: str) -> ReportBuild | None:
    query = select(ReportBuild).where(ReportBuild.fingerprint == fingerprint).with_for_update()
    row: ReportBuild | None = session.scalar(query.execution_options(populate_existing=True))
    return row


def _will_do(session: Session, other: Job, as_of: datetime, max_age: int | None, attempt: Attempt) -> bool:
    if other.state != State.SUCCEEDED:
        return False
    if max_age is None:
        due = (JobEvent.job_id == attempt.job_id, JobEvent.epoch == attempt.epoch, JobEvent.to_state == State.QUEUED)
        since = session.scalar(select(JobEvent.at).where(*due).order_by(JobEvent.seq).limit(1))
        return since is not None and other.finished_at is not None and other.finished_at > since
    clock: datetime = session.execute(select(now())).scalar_one()
    return clock - as_of <= timedelta(seconds=max_age)


def _found(session: Session, other: Job) -> Found | None:
    files = select(Artifact.name, Artifact.media_type, Artifact.sha256).where(Artifact.job_id == other.id)
    rows = [(name, media_type, sha256) for name, media_type, sha256 in session.execute(files.order_by(Artifact.name))]
    return Found(other.id, other.result, rows) if rows and isinstance(other.result, dict) else None
