"""Retention: deleting what is older than it is to be kept, a little in each transaction.

A job goes with its events, receipts, logs and files, once it is over and every job that followed it is as old. What is
not over, what ended uncertain, and what an idempotency key still answers for never goes. Files that people handed in
are theirs to delete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Delete, delete, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from webapi.extensions import db
from webapi.models import (
    FINAL,
    Artifact,
    AttemptLog,
    Effect,
    EffectState,
    IdempotencyKey,
    Job,
    ReportBuild,
    SignIn,
    State,
    TrailEntry,
)
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import progress, room
from webapi.services import sessions, trail

DAY = 86400.0  # seconds
LOOKED_AT = 2000  # rows in one look
TOGETHER = 200  # rows that are deleted in one transaction
LONGEST_REST = 1.0  # seconds between two of them; as long as one took, so that others get their turn
OVER = tuple(state for state in FINAL if state is not State.UNCERTAIN)
UNANSWERED = (EffectState.INFLIGHT, EffectState.UNKNOWN)

Ids = InstrumentedAttribute[UUID]


class PruneOrder(BaseModel):
    """The settings say what is old."""


def prune() -> dict[str, int]:
    """Delete what is old. Returns how many of each; in a job of ours it can be cancelled and goes on from where it was.

    Killed at any point it has deleted whole jobs, and the next run deletes the others.
    """
    config = current_app.config
    found = {
        "jobs": _all(Job.id, config["KEEP_JOBS_DAYS"], _delete_jobs),
        "files": _all(Artifact.job_id, config["KEEP_FILES_DAYS"], _delete_files),
        "logs": _all(AttemptLog.job_id, config["KEEP_LOGS_DAYS"], _delete_logs),
        "trail": _all(TrailEntry.id, config["KEEP_TRAIL_DAYS"], _delete_trail),
        "sessions": _forget_sessions(),
    }
    if any(found.values()):
        with writing():
            trail.note("jobs.pruned", actor=trail.COMMAND_LINE, deleted=found)
    return found


def would_prune() -> dict[str, int]:
    """How many jobs, and how many entries of the trail, are old by now."""
    days = current_app.config["KEEP_JOBS_DAYS"]
    jobs = select(func.count()).where(Job.id < _least(days), *_old_job(days))
    entries = select(func.count()).where(TrailEntry.id < _least(current_app.config["KEEP_TRAIL_DAYS"]))
    return {"jobs": db.session.scalar(jobs) or 0, "trail": db.session.scalar(entries) or 0}


def _all(ids: Ids, days: int, act: Callable[[Session, Sequence[UUID], int], int]) -> int:
    """Let `act` delete what is older than so many days, a few rows in each transaction. 0 days is never."""
    done = 0
    for some in _windows(ids, _least(days)) if days else ():
        began = time.monotonic()
        with writing() as session:
            gone = act(session, some, days)
        done += gone
        progress(0, f"{done:,} deleted")
        time.sleep(min(LONGEST_REST, time.monotonic() - began) if gone else 0)
    return done


def _windows(ids: Ids, end: UUID) -> Iterator[Sequence[UUID]]:
    """All ids below `end`, some at a time, oldest first: a UUIDv7 sorts by the time it was made."""
    reached = UUID(int=0)
    while True:
        db.session.rollback()
        found = db.session.scalars(
            select(ids).where(ids > reached, ids < end).distinct().order_by(ids).limit(LOOKED_AT)
        ).all()
        for start in range(0, len(found), TOGETHER):
            yield found[start : start + TOGETHER]
        if len(found) < LOOKED_AT:
            return
        reached = found[-1]


def _least(days: int) -> UUID:
    """The least UUIDv7 (RFC 9562) of the moment that many days ago; below it all are older."""
    clock: datetime = db.session.execute(select(now())).scalar_one()
    moment = clock - timedelta(days=days) if days else datetime.fromtimestamp(0, clock.tzinfo)
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _old_job(days: int) -> tuple[ColumnElement[bool], ...]:
    """Whether nobody needs a job any more. One that followed another goes after it, or the other would do it anew."""
    child = aliased(Job)
    young = or_(child.state.not_in(OVER), child.finished_at >= after(-days * DAY))
    return (
        Job.state.in_(OVER),
        Job.finished_at < after(-days * DAY),
        Job.parent_id.is_(None),
        ~exists().where(child.parent_id == Job.id, young),
        ~exists().where(IdempotencyKey.job_id == Job.id, IdempotencyKey.expires_at > now()),
        ~exists().where(Effect.job_id == Job.id, Effect.state.in_(UNANSWERED)),
    )


def _delete_jobs(session: Session, ids: Sequence[UUID], days: int) -> int:
    """In rounds: once a job is gone, so may those be that followed it, whose ids are greater."""
    done = 0
    old = select(Job.id).where(Job.id.in_(ids), *_old_job(days)).order_by(Job.id)
    while locked := session.scalars(old.with_for_update(skip_locked=True)).all():
        _give_back(session, Artifact.job_id.in_(locked))
        _delete(session, delete(Job).where(Job.id.in_(locked)))
        done += len(locked)
    return done


def _delete_files(session: Session, ids: Sequence[UUID], days: int) -> int:
    """Of jobs that are over. A report that is asked for again is built again."""
    over = select(Job.id).where(Job.id.in_(ids), Job.state.in_(OVER)).order_by(Job.id)
    locked = session.scalars(over.with_for_update(skip_locked=True)).all()
    old = (Artifact.job_id.in_(locked), Artifact.created_at < after(-days * DAY))
    _give_back(session, *old)
    _delete(session, delete(ReportBuild).where(ReportBuild.job_id.in_(locked)))
    return _delete(session, delete(Artifact).where(*old))


def _give_back(session: Session, *files: ColumnElement[bool]) -> None:
    """Count the bytes of these files to their owners no more. The files go with the next round of housekeeping."""
    sizes = select(Job.owner_id, func.sum(Artifact.size)).join(Artifact, Artifact.job_id == Job.id).where(*files)
    for owner_id, size in session.execute(sizes.group_by(Job.owner_id).order_by(Job.owner_id)).all():
        room.charge(session, owner_id, -int(size))


def _delete_logs(session: Session, ids: Sequence[UUID], days: int) -> int:
    over = exists().where(Job.id == AttemptLog.job_id, Job.state.in_(OVER))
    old = delete(AttemptLog).where(AttemptLog.job_id.in_(ids), AttemptLog.changed_at < after(-days * DAY), over)
    return _delete(session, old)


def _delete_trail(session: Session, ids: Sequence[UUID], days: int) -> int:
    return _delete(session, delete(TrailEntry).where(TrailEntry.id.in_(ids)))


def _forget_sessions() -> int:
    """Those that were idle for so long that they are over."""
    with writing() as session:
        return _delete(session, delete(SignIn).where(SignIn.last_seen_at < after(-sessions.IDLE)))


def _delete(session: Session, statement: Delete) -> int:
    gone = session.execute(statement.execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]
