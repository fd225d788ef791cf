"""Schedules as their owners see them: write, list, edit, pause, run now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, ValidationInfo, field_validator
from sqlalchemy import delete, func, select, update
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Job, Schedule, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import Kind, Once, cron, kind_named, seals
from webapi.services import jobs, targets
from webapi.services.addresses import Line

MOST = 500  # schedules of one owner


class Plan(BaseModel):
    """When a schedule fires, and what it is called."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(min_length=1, max_length=100)
    timezone: Annotated[str, StringConstraints(max_length=64)] = Field("UTC", title="Time zone")
    cron: Annotated[str, StringConstraints(max_length=120)] = Field(
        title="Cron expression",
        description="Minute, hour, day of month, month, day of week: 0 9 * * 1-5 is each workday at nine.",
    )
    catchup: Literal["latest", "all", "none"] = Field(
        "latest",
        title="What was missed",
        description="While nothing ran: latest fires once for the newest missed time, all for each, none for none.",
    )
    callback_url: str | None = Field(
        None,
        max_length=jobs.LONGEST_URL,
        title="Callback URL",
        description="Where to tell, by an http.call, that one of its jobs is over.",
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        cron.zone(name)
        return name

    @field_validator("cron")
    @classmethod
    def _comes(cls, expression: str, info: ValidationInfo) -> str:
        cron.check(expression, info.data.get("timezone", "UTC"))
        return expression

    @field_validator("callback_url")
    @classmethod
    def _may_be_called(cls, url: str | None) -> str | None:
        return targets.checked(url, jobs.LONGEST_URL) if url else None

    @property
    def explained(self) -> str:
        return cron.explain(self.cron)

    def upcoming(self, count: int = 5) -> list[datetime]:
        """The next fire times, in the plan's time zone."""
        return cron.upcoming(self.cron, self.timezone, _clock(), count)


def plan_of(schedule: Schedule) -> Plan:
    """The plan that a stored schedule follows, as it was checked when it was written."""
    return Plan.model_construct(**{name: getattr(schedule, name) for name in Plan.model_fields})


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
            payload_version=kind.version, next_at=cron.first_after(plan.cron, plan.timezone, _clock()),
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
                next_at=cron.first_after(plan.cron, plan.timezone, _clock()),
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
        values |= {"next_at": cron.first_after(row.cron, row.timezone, _clock()), "problem": None}
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
    payload = kind.recur(payload, owner.id, _clock(), row.timezone) if kind.recur else payload
    return jobs.submit(
        owner, kind, payload, once=once, schedule_id=row.id, sandbox=sandbox, callback_url=row.callback_url
    )


def history(schedule: Schedule, limit: int = 20) -> Sequence[Job]:
    """The jobs that it submitted, newest first."""
    query = select(Job).where(Job.owner_id == schedule.owner_id, Job.schedule_id == schedule.id)
    return db.session.scalars(query.order_by(Job.id.desc()).limit(limit)).all()


def _clock() -> datetime:
    clock: datetime = db.session.execute(select(now())).scalar_one()
    return clock
