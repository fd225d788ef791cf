"""Jobs as their owners see them: submit, show, cancel. Lists of them are in `job_lists`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import select
from uuid_utils.compat import uuid7

from webapi.errors import Fault, Forbidden, InsufficientScope, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Effect, Job, JobEvent, Schedule, Scope
from webapi.models.transaction import writing
from webapi.queue import Kind, Once, control, kind_named, seals
from webapi.queue import submit as submit_job
from webapi.queue.followup import tells_of
from webapi.queue.orders import acts_of
from webapi.services import storage, targets
from webapi.services.holders import Asker

LONGEST_URL = 2000  # characters, as it is kept: its canonical form


def public_kind(name: str) -> Kind:
    """A kind that people may submit. Raises NotFound for the others too: they have no doors."""
    kind = kind_named(name)
    if not kind.public:
        raise NotFound(f"There is no kind of job called {name!r}.")
    return kind


@dataclass(frozen=True)
class Accepted:
    """A job that was accepted by this request, or `replayed`: by an earlier one under the same key.

    `acts` are the effects that a job which was accepted just now is going to have.
    """

    job: Job
    replayed: bool
    acts: int


def submit(owner: Asker, kind: Kind, payload: BaseModel, **options: Any) -> Job:
    """The job that `accept` accepts."""
    return accept(owner, kind, payload, **options).job


def accept(
    owner: Asker,
    kind: Kind,
    payload: BaseModel,
    *,
    once: Once | None = None,
    sandbox: bool = False,
    callback_url: str | None = None,
    **options: Any,
) -> Accepted:
    """Accept a job from its owner. `options` are those of `webapi.queue.submit`.

    What a job of the `sandbox` does to the outside world is only played. Its idempotency keys are others than those
    of the jobs that are meant, so that a request which was tried in the sandbox first is not taken for done.

    Raises what `allowed` raises, Invalid for a `callback_url` that may not be called, QuotaReached at MAX_OPEN_JOBS,
    and what `webapi.queue.submit` raises.
    """
    payload = allowed(owner, kind, payload)
    options |= {"sandbox": sandbox, "callback_url": callable_url(callback_url)}
    once = apart(once) if once and sandbox else once
    job_id = uuid7()
    job = submit_job(kind.name, payload, owner_id=owner.id, job_id=job_id, quota=quota(), once=once, **options)
    return Accepted(job, job.id != job_id, len(acts_of(kind, payload)))


def apart(once: Once) -> Once:
    """The same key for the sandbox."""
    return replace(once, route=f"{once.route} (sandbox)")


def callable_url(url: str | None) -> str | None:
    """A callback_url as it is kept. Raises Invalid for one that may not be called."""
    try:
        return targets.checked(url, LONGEST_URL) if url else None
    except ValueError as error:
        fault = Fault("/callback_url", f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}.")
        raise Invalid(f"callback_url: {fault.message}", faults=(fault,)) from None


def callbacks(job: Job) -> list[Job]:
    """The calls that told of the job's ends, the newest first."""
    query = select(Job).where(tells_of(job.id, Job)).order_by(Job.id.desc()).limit(20)
    return list(db.session.scalars(query)) if job.callback_url else []


def allowed(owner: Asker, kind: Kind, payload: BaseModel) -> BaseModel:
    """The payload as it is to be kept. Raises Forbidden before the owner's address is confirmed, and to a key that is
    bound to another kind.

    Raises Invalid when it names another's file, and for what the kind finds wrong with it.
    """
    check_may(owner, kind)
    return prepared(owner, kind, payload)


def check_may(owner: Asker, kind: Kind) -> None:
    """Raises Forbidden before the owner's address is confirmed, and for a key that is for jobs of another kind."""
    if owner.verified_at is None:
        raise Forbidden("Confirm your email address first: open the link in the mail that we sent you.")
    if owner.only_kind not in {None, kind.name}:
        raise InsufficientScope(f"This key is for jobs of the kind {owner.only_kind} alone.", Scope.SUBMIT)


def prepared(owner: Asker, kind: Kind, payload: BaseModel) -> BaseModel:
    """The payload as it is to be kept. Raises Invalid."""
    if seals.secret_fields(type(payload)):  # else it is written out for nothing
        seals.refuse_masks(payload)
    storage.check_uploads(owner.id, payload)
    return kind.prepare(payload, owner.id) if kind.prepare else payload


def quota() -> int:
    """How many jobs of one owner may be open."""
    most: int = current_app.config["MAX_OPEN_JOBS"]
    return most


def find(owner: Asker, job_id: UUID) -> Job:
    """The owner's job. Raises NotFound, also for somebody else's and for one that the key that asks is not for."""
    job = owned(owner.id, job_id)
    if owner.only_kind not in {None, job.kind}:
        raise NotFound("There is no such job.")
    return job


def owned(owner_id: UUID, job_id: UUID) -> Job:
    """As `find`, by the id of the owner, whatever key asks."""
    job: Job | None = db.session.scalar(select(Job).where(Job.id == job_id, Job.owner_id == owner_id))
    if job is None:
        raise NotFound("There is no such job.")
    return job


def payload(job: Job | Schedule) -> dict[str, Any]:
    """The payload as its owner may see it: of a field that is `writeOnly` in its schema, no value is shown."""
    kind: Kind | None = current_app.extensions["kinds"].get(job.kind)
    return seals.masked(kind.payload, job.payload) if kind else job.payload


def events(job: Job) -> list[JobEvent]:
    return list(db.session.scalars(select(JobEvent).where(JobEvent.job_id == job.id).order_by(JobEvent.seq)))


def effects(job: Job) -> list[Effect]:
    return list(db.session.scalars(select(Effect).where(Effect.job_id == job.id).order_by(Effect.id)))


def cancel(owner: Asker, job_id: UUID) -> Job:
    """Cancel a waiting job, or ask a running one to stop. Raises NotFound, and Conflict for one that is over."""
    find(owner, job_id)
    with writing() as session:
        control.cancel(session, job_id, actor(owner))
    return find(owner, job_id)


def replay(owner: Asker, job_id: UUID) -> Job:
    """Run a job that is over again; what is done is not repeated. Raises NotFound and Conflict."""
    find(owner, job_id)
    with writing() as session:
        control.replay(session, job_id, actor(owner))
    return find(owner, job_id)


def resolve(owner: Asker, job_id: UUID, answers: Mapping[UUID, control.Answer]) -> Job:
    """Settle unknown effects of an uncertain job. Raises NotFound, Conflict, and Invalid for other effects."""
    find(owner, job_id)
    with writing() as session:
        control.resolve(session, job_id, answers, actor(owner))
    return find(owner, job_id)


def release(owner: Asker, job_id: UUID, effect_ids: Sequence[UUID]) -> Job:
    """Let held effects of a job that is over go. Raises NotFound, Conflict, and Invalid for other effects."""
    find(owner, job_id)
    with writing() as session:
        control.release(session, job_id, effect_ids, actor(owner))
    return find(owner, job_id)


def actor(owner: Asker) -> str:
    """How an event names whoever did it."""
    return f"user {owner.id}"
