"""Jobs as their owners see them: submit, list, show, cancel."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import Select, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from webapi.errors import Forbidden, Malformed, NotFound
from webapi.extensions import db
from webapi.models import Artifact, Effect, EffectState, Job, JobEvent, Schedule, State, User
from webapi.models.transaction import writing
from webapi.queue import Kind, control, kind_named
from webapi.queue import submit as submit_job
from webapi.services import storage


def public_kind(name: str) -> Kind:
    """A kind that people may submit. Raises NotFound for the others too: they have no doors."""
    kind = kind_named(name)
    if not kind.public:
        raise NotFound(f"There is no kind of job called {name!r}.")
    return kind


def submit(owner: User, kind: Kind, payload: BaseModel, **options: Any) -> Job:
    """Accept a job from its owner. `options` are those of `webapi.queue.submit`.

    Raises what `allow` raises, QuotaReached at MAX_OPEN_JOBS, and what `webapi.queue.submit` raises.
    """
    payload = allowed(owner, kind, payload)
    return submit_job(kind.name, payload, owner_id=owner.id, quota=quota(), **options)


def allowed(owner: User, kind: Kind, payload: BaseModel) -> BaseModel:
    """The payload as it is to be kept. Raises Forbidden before the owner's address is confirmed.

    Raises Invalid when it names another's file, and for what the kind finds wrong with it.
    """
    if owner.verified_at is None:
        raise Forbidden("Confirm your email address first: open the link in the mail that we sent you.")
    storage.check_uploads(owner.id, payload)
    return kind.prepare(payload, owner.id) if kind.prepare else payload


def quota() -> int:
    """How many jobs of one owner may be open."""
    most: int = current_app.config["MAX_OPEN_JOBS"]
    return most


def find(owner: User, job_id: UUID) -> Job:
    """The owner's job. Raises NotFound, also for a job that is somebody else's."""
    job: Job | None = db.session.scalar(select(Job).where(Job.id == job_id, Job.owner_id == owner.id))
    if job is None:
        raise NotFound("There is no such job.")
    return job


@dataclass(frozen=True)
class Wanted:
    """A filter over jobs."""

    kinds: Sequence[str] = ()
    states: Sequence[State] = ()
    tags: Sequence[str] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first, and the cursor of the next page where there is one."""

    jobs: list[Job]
    next_cursor: str | None


def page(owner: User, wanted: Wanted, *, cursor: str | None = None, limit: int = 50) -> Page:
    """One page of the owner's jobs, by keyset: as fast on the last page as on the first."""
    query = matching(owner, wanted)
    if cursor is not None:
        query = query.where(Job.id < _read_cursor(cursor))
    rows = list(db.session.scalars(query.order_by(Job.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return Page(rows[:limit], _cursor(rows[limit - 1].id) if more else None)


def matching(owner: User, wanted: Wanted) -> Select[Job]:
    """The query of the owner's jobs that a filter finds."""
    query = select(Job).where(Job.owner_id == owner.id)
    hidden = [kind.name for kind in current_app.extensions["kinds"].values() if kind.hidden]
    query = query.where(Job.kind.in_(wanted.kinds) if wanted.kinds else Job.kind.not_in(hidden))
    if wanted.states:
        query = query.where(Job.state.in_(wanted.states))
    for tag in wanted.tags:
        query = query.where(_has_tag(tag))
    if wanted.created_after:
        query = query.where(Job.created_at > wanted.created_after)
    if wanted.created_before:
        query = query.where(Job.created_at < wanted.created_before)
    return query


def _has_tag(tag: str) -> Any:
    if db.engine.dialect.name == "postgresql":
        return type_coerce(Job.tags, JSONB).contains([tag])
    each = func.json_each(Job.tags).table_valued("value")
    return select(1).select_from(each).where(each.c.value == tag).exists()


def _cursor(job_id: UUID) -> str:
    return base64.urlsafe_b64encode(job_id.bytes).decode().rstrip("=")


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except ValueError:
        raise Malformed("cursor: take it from the previous page as it is.") from None


def counts(owner: User) -> dict[State, int]:
    """How many of the owner's jobs are in each state."""
    rows = db.session.execute(select(Job.state, func.count()).where(Job.owner_id == owner.id).group_by(Job.state))
    return {State(state): count for state, count in rows}


def payload(job: Job | Schedule) -> dict[str, Any]:
    """The payload as its owner may see it: of a field that is `writeOnly` in its schema, no value is shown."""
    kind = current_app.extensions["kinds"].get(job.kind)
    fields = kind.payload.model_fields if kind else {}
    hidden = {name for name, each in fields.items() if (each.json_schema_extra or {}).get("writeOnly")}
    return {name: _masked(value) if name in hidden else value for name, value in job.payload.items()}


def _masked(value: Any) -> Any:
    return {name: _masked(each) for name, each in value.items()} if isinstance(value, dict) else value and "…"


def events(job: Job) -> list[JobEvent]:
    return list(db.session.scalars(select(JobEvent).where(JobEvent.job_id == job.id).order_by(JobEvent.seq)))


def effects(job: Job) -> list[Effect]:
    return list(db.session.scalars(select(Effect).where(Effect.job_id == job.id).order_by(Effect.id)))


def artifacts(job_ids: Sequence[UUID]) -> dict[UUID, list[Artifact]]:
    """The files of several jobs, in one query."""
    found: dict[UUID, list[Artifact]] = {job_id: [] for job_id in job_ids}
    for row in db.session.scalars(select(Artifact).where(Artifact.job_id.in_(job_ids)).order_by(Artifact.name)):
        found[row.job_id].append(row)
    return found


def effect_counts(job_ids: Sequence[UUID]) -> dict[UUID, dict[EffectState, int]]:
    """How the effects of several jobs stand, in one query."""
    found: dict[UUID, dict[EffectState, int]] = {job_id: {} for job_id in job_ids}
    query = select(Effect.job_id, Effect.state, func.count()).where(Effect.job_id.in_(job_ids))
    for job_id, state, count in db.session.execute(query.group_by(Effect.job_id, Effect.state)):
        found[job_id][EffectState(state)] = count
    return found


def cancel(owner: User, job_id: UUID) -> Job:
    """Cancel a waiting job, or ask a running one to stop. Raises NotFound, and Conflict for one that is over."""
    find(owner, job_id)
    with writing() as session:
        control.cancel(session, job_id, actor(owner))
    return find(owner, job_id)


def replay(owner: User, job_id: UUID) -> Job:
    """Run a job that is over again; what is done is not repeated. Raises NotFound and Conflict."""
    find(owner, job_id)
    with writing() as session:
        control.replay(session, job_id, actor(owner))
    return find(owner, job_id)


def resolve(owner: User, job_id: UUID, answers: Mapping[UUID, control.Answer]) -> Job:
    """Settle unknown effects of an uncertain job. Raises NotFound, Conflict, and Invalid for other effects."""
    find(owner, job_id)
    with writing() as session:
        control.resolve(session, job_id, answers, actor(owner))
    return find(owner, job_id)


def release(owner: User, job_id: UUID, effect_ids: Sequence[UUID]) -> Job:
    """Let held effects of a job that is over go. Raises NotFound, Conflict, and Invalid for other effects."""
    find(owner, job_id)
    with writing() as session:
        control.release(session, job_id, effect_ids, actor(owner))
    return find(owner, job_id)


def actor(owner: User) -> str:
    """How an event names whoever did it."""
    return f"user {owner.id}"
