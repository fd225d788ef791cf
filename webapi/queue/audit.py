"""The protocol's invariants as queries. Each finds what must not be there; a healthy ledger answers with nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from webapi.extensions import db
from webapi.models import FINAL, Artifact, Effect, EffectState, Job, JobEvent, State, User
from webapi.models.columns import after
from webapi.queue import room
from webapi.queue.files import store
from webapi.queue.followup import tells_of
from webapi.queue.ledger import CALLBACK

STUCK = 900.0  # seconds past its lease or its time after which a job counts as stuck
MOST = 20  # offenders named for each invariant


@dataclass(frozen=True)
class Finding:
    """One invariant, what it says, and the ids of those that break it (at most `MOST`)."""

    name: str
    sentence: str
    offenders: tuple[str, ...]


def audit(*, files: bool = True) -> Iterator[Finding]:
    """Check every invariant. `files` also reads each artifact's bytes, which takes as long as reading them."""
    for name, sentence, query in _queries():
        rows = db.session.execute(query.limit(MOST)).scalars()
        yield Finding(name, sentence, tuple(str(row) for row in rows))
    if files:
        yield Finding("I7", "an artifact's row has its bytes, with that SHA-256", tuple(_broken_files()))


def _queries() -> Iterator[tuple[str, str, Select[UUID]]]:
    ended = select(JobEvent.job_id).where(JobEvent.to_state.in_(FINAL), ~JobEvent.refines)
    twice = ended.group_by(JobEvent.job_id, JobEvent.epoch).having(func.count() > 1)
    owned = select(JobEvent.job_id).where(JobEvent.to_state == State.RUNNING)
    unanswered = or_(Effect.maybe, Effect.state.in_([EffectState.UNKNOWN, EffectState.INFLIGHT]))
    of_effects = select(Job.id).join(Effect, Effect.job_id == Job.id).distinct()
    yield "I2", "after its end a job moves only by a replay or by late evidence", _moved_after_the_end()
    yield "I3", "an attempt has one owner", owned.group_by(JobEvent.job_id, JobEvent.attempt).having(func.count() > 1)
    yield "I4", "an epoch ends once", twice
    yield (
        "I6a",
        "a job that succeeded has all of its effects done",
        of_effects.where(Job.state == State.SUCCEEDED, Effect.state != EffectState.DONE),
    )
    yield (
        "I6b",
        "a job that failed or was cancelled has no act without an answer",
        of_effects.where(
            Job.state.in_([State.FAILED, State.CANCELLED, State.EXPIRED]), Effect.state != EffectState.DONE, unanswered
        ),
    )
    yield (
        "I11",
        "no effect begins after its job was cancelled",
        of_effects.where(Job.state == State.CANCELLED, Effect.marked_at > Job.cancel_requested_at),
    )
    yield "I17", "each end of a job with a callback_url was told by one call", _untold()
    yield "I8b", "an owner's number of open jobs is right", _miscounted()
    uncounted = select(User.id).where(User.storage_bytes != room.kept())
    yield "I18", "an owner's bytes of storage are counted right", uncounted
    yield "I12", "an accepted job goes on", _stuck()
    yield "I14a", "a job's last event is its state", _wrong_state()
    yield "I14b", "each event begins where the last one ended", _broken_chain()
    yield (
        "I16",
        "an act has its mark",
        of_effects.where(Effect.state.in_([EffectState.DONE, EffectState.INFLIGHT]), Effect.marked_at.is_(None)),
    )


def _previous() -> Any:
    """Each event beside the one before it."""
    before = aliased(JobEvent)
    return before, and_(before.job_id == JobEvent.job_id, before.seq == JobEvent.seq - 1)


def _moved_after_the_end() -> Select[UUID]:
    before, follows = _previous()
    return (
        select(JobEvent.job_id)
        .join(before, follows)
        .where(before.to_state.in_(FINAL), JobEvent.epoch == before.epoch, ~JobEvent.refines)
    )


def _broken_chain() -> Select[UUID]:
    before, follows = _previous()
    return (
        select(JobEvent.job_id)
        .outerjoin(before, follows)
        .where(
            or_(
                and_(JobEvent.seq == 1, JobEvent.from_state.is_not(None)),
                and_(JobEvent.seq > 1, or_(before.job_id.is_(None), before.to_state != JobEvent.from_state)),
            )
        )
    )


def _wrong_state() -> Select[UUID]:
    last = select(JobEvent.job_id, func.max(JobEvent.seq).label("seq")).group_by(JobEvent.job_id).subquery()
    return (
        select(Job.id)
        .outerjoin(last, last.c.job_id == Job.id)
        .outerjoin(JobEvent, and_(JobEvent.job_id == Job.id, JobEvent.seq == last.c.seq))
        .where(or_(JobEvent.to_state.is_(None), JobEvent.to_state != Job.state))
    )


def _miscounted() -> Select[UUID]:
    counted = or_(Job.parent_id.is_(None), Job.kind != CALLBACK)
    open_jobs = select(func.count()).where(Job.owner_id == User.id, Job.state.not_in(FINAL), counted).scalar_subquery()
    return select(User.id).where(User.open_jobs != open_jobs)


def _untold() -> Select[UUID]:
    ends = select(func.count()).where(JobEvent.job_id == Job.id, JobEvent.to_state.in_(FINAL)).scalar_subquery()
    call = aliased(Job)
    calls = select(func.count()).where(tells_of(Job.id, call)).scalar_subquery()
    return select(Job.id).where(Job.callback_url.is_not(None), ends != calls)


def _stuck() -> Select[UUID]:
    since = case((Job.state == State.RUNNING, Job.lease_until), else_=Job.run_at)
    waiting = Job.state.in_([State.RUNNING, State.SCHEDULED, State.RETRYING])
    return select(Job.id).where(waiting, since < after(-STUCK))


def _broken_files() -> Iterator[str]:
    for row in db.session.scalars(select(Artifact).execution_options(yield_per=500)):
        try:
            with store().open(row.sha256) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield f"{row.job_id} {row.sha256}: no bytes"
            continue
        if digest != row.sha256:
            yield f"{row.job_id} {row.sha256}: other bytes"
