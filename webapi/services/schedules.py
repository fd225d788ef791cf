"""Schedules as their owners see them: write, list, edit, pause, run now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, func, select, update
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Job, Schedule, User
from webapi.models.transaction import writing
from webapi.queue import Kind, Once, cron, kind_named, seals
from webapi.services import jobs
from webapi.services.plans import Plan, clock

MOST = 500  # schedules of one owner


def create(owner: User, kind: Kind, payload: BaseModel, plan: Plan, **columns: Any) -> Schedule:
    """A new schedule; `columns` are its `id` and whether it is `paused`, where that is known.

    Raises what `jobs.allowed` raises, and Conflict when the owner has `MOST` of them.
    """
    jobs.allowed(owner, kind, payload)
    if count(owner) >= MOST:
        raise Conflict(f"You have {MOST} schedules, which is the limit. Delete one that you no longer need.")
    with writing() as session:
        row = Schedule(
            **{"id": uuid7(), **columns}, owner_id=owner.id, kind=kind.name, payload=seals.sealed(payload, owner.id),
            payload_version=kind.version, next_at=cron.first_after(plan.cron, plan.timezone, clock()),
            **plan.model_dump(),
        )  # fmt: skip
        session.add(row)
    return row


def count(owner: User) -> int:
    """How many schedules the owner has."""
    return db.session.scalar(select(func.count()).where(Schedule.owner_id == owner.id)) or 0


def of(owner: User) -> Sequence[Schedule]:
    """The owner's schedules, the next to fire first and the paused last."""
    query = select(Schedule).where(Schedule.owner_id == owner.id)
    return db.session.scalars(query.order_by(Schedule.paused, Schedule.next_at, Schedule.id)).all()


def find(owner: User, schedule_id: UUID) -> Schedule:
    """The owner's schedule. Raises NotFound, also for one that is somebody else's."""
    query = select(Schedule).where(Schedule.id == schedule_id, Schedule.owner_id == owner.id)
    row: Schedule | None = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such schedule.")
    return row


def completed(schedule: Schedule, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """A new payload, or the one that is there, with the secrets that it leaves out: whoever edits it cannot read them.

    Raises Invalid when such a secret cannot be opened; it has to be given anew then.
    """
    kind = kind_named(schedule.kind)
    model, kept = kind.payload, kind.upgraded(schedule.payload, schedule.payload_version)
    secret = seals.secret_fields(model)
    given = {name: value for name, value in kept.items() if name not in secret} if given is None else given
    left = {name: value for name, value in kept.items() if name in secret and name not in given}
    try:
        return {**seals.plain(model, left, schedule.owner_id), **given}
    except seals.Unopenable as error:
        raise Invalid(faults=tuple(Fault(f"/{name}", error.message) for name in left)) from None


def change(
    owner: User, schedule_id: UUID, version: int, *, plan: Plan, payload: BaseModel, paused: bool = False
) -> Schedule:
    """Replace what the version `version` said. Its next fire time is the first to come: a pause misses nothing.

    Raises NotFound, Conflict when somebody changed it meanwhile, and what `jobs.allowed` raises.
    """
    kind = kind_named(find(owner, schedule_id).kind)
    jobs.allowed(owner, kind, payload)
    kept = {"payload": seals.sealed(payload, owner.id), "payload_version": kind.version}
    values: dict[str, Any] = {**plan.model_dump(), **kept, "paused": paused}
    with writing() as session:
        changed = session.execute(
            update(Schedule)
            .where(Schedule.id == schedule_id, Schedule.version == version)
            .values(
                **values,
                version=version + 1,
                problem=None,
                next_at=cron.first_after(plan.cron, plan.timezone, clock()),
            )
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount == 0:  # type: ignore[attr-defined]
            raise Conflict("Somebody changed this schedule meanwhile. Look at it again, then repeat your change.")
    return find(owner, schedule_id)


def set_paused(owner: User, schedule_id: UUID, paused: bool) -> Schedule:
    """Pause it, or let it go on with the next time to come. Raises NotFound."""
    row = find(owner, schedule_id)
    values: dict[str, Any] = {"paused": paused, "version": Schedule.version + 1}
    if not paused:
        values |= {"next_at": cron.first_after(row.cron, row.timezone, clock()), "problem": None}
    with writing() as session:
        changed = update(Schedule).where(Schedule.id == schedule_id, Schedule.paused != paused)
        session.execute(changed.values(**values).execution_options(synchronize_session=False))
    return find(owner, schedule_id)


def remove(owner: User, schedule_id: UUID) -> None:
    """Delete it; the jobs that it fired stay. Raises NotFound."""
    find(owner, schedule_id)
    with writing() as session:
        session.execute(delete(Schedule).where(Schedule.id == schedule_id))


def run_now(owner: User, schedule_id: UUID, *, sandbox: bool = False, once: Once | None = None) -> Job:
    """Submit its job at once, beside its fire times. Raises NotFound and what `jobs.submit` raises."""
    row = find(owner, schedule_id)
    kind = kind_named(row.kind)
    try:
        payload = seals.opened(kind, kind.upgraded(row.payload, row.payload_version), owner.id)
    except ValidationError:  # its text would hold what was sealed
        raise Conflict("Its kind no longer takes this payload; edit the schedule.") from None
    payload = kind.recur(payload, owner.id, clock(), row.timezone) if kind.recur else payload
    return jobs.submit(
        owner, kind, payload, once=once, schedule_id=row.id, sandbox=sandbox, callback_url=row.callback_url
    )


def history(schedule: Schedule, limit: int = 20) -> Sequence[Job]:
    """The jobs that it submitted, newest first."""
    query = select(Job).where(Job.owner_id == schedule.owner_id, Job.schedule_id == schedule.id)
    return db.session.scalars(query.order_by(Job.id.desc()).limit(limit)).all()
