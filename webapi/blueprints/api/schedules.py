"""Schedules for programs: cron with a time zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import request, url_for
from pydantic import BaseModel, Field, StringConstraints

from webapi.blueprints import reading
from webapi.blueprints.api.openapi import refuse_query, takes_body
from webapi.blueprints.api.shapes import JobOut
from webapi.blueprints.api.shaping import shape_jobs
from webapi.blueprints.identity import check_sandbox, me, require_anyone, sandbox
from webapi.errors import PreconditionFailed
from webapi.models import Schedule
from webapi.queue import kind_named
from webapi.services import jobs, schedules
from webapi.services.plans import Plan, plan_of

bp = APIBlueprint("api_schedules", __name__, tag="Schedules")
bp.before_request(require_anyone)
bp.before_request(refuse_query)


class ScheduleIn(Plan):
    """A schedule to be written. `payload` is that of the kind."""

    kind: Annotated[str, StringConstraints(max_length=100)]
    payload: dict[str, Any] = Field(default_factory=dict)
    paused: bool = False


class ScheduleChange(BaseModel):
    """What to change; what is left out stays."""

    name: str | None = None
    cron: str | None = None
    timezone: str | None = None
    catchup: Literal["latest", "all", "none"] | None = None
    payload: dict[str, Any] | None = None
    callback_url: str | None = Field(None, description="An empty one is taken away.")
    paused: bool | None = None


class ScheduleOut(BaseModel):
    """A schedule. `next` are its next five fire times in its own time zone; a paused one has none."""

    id: UUID
    name: str
    kind: str
    payload: dict[str, Any]
    cron: str
    explained: str
    timezone: str
    catchup: str
    callback_url: str | None
    paused: bool
    problem: str | None = Field(description="Why its last fire time brought no job.")
    next: list[datetime]
    version: int
    created_at: datetime
    links: dict[str, str]


class ScheduleList(BaseModel):
    schedules: list[ScheduleOut]


@bp.get("/schedules")
@bp.output(ScheduleList)
def index() -> ScheduleList:
    """List your schedules, the next to fire first"""
    return ScheduleList(schedules=[_shape(row) for row in schedules.of(me())])


@bp.post("/schedules")
@takes_body(ScheduleIn)
@bp.output(ScheduleOut, status_code=201)
def create() -> tuple[ScheduleOut, int, dict[str, str]]:
    """Write a schedule"""
    check_sandbox(inside=False)
    wanted = reading.body(ScheduleIn)
    kind = jobs.public_kind(wanted.kind)
    payload = reading.nested(kind.payload, wanted.payload, "/payload")
    plan = Plan.model_construct(**{name: getattr(wanted, name) for name in Plan.model_fields})
    shaped, _, headers = _shaped(schedules.create(me(), kind, payload, plan, paused=wanted.paused))
    return shaped, 201, {"Location": shaped.links["self"], **headers}


@bp.get("/schedules/<uuid:schedule_id>")
@bp.output(ScheduleOut)
def show(schedule_id: UUID) -> tuple[ScheduleOut, int, dict[str, str]]:
    """Show a schedule with its next five fire times"""
    return _shaped(schedules.find(me(), schedule_id))


@bp.patch("/schedules/<uuid:schedule_id>")
@takes_body(ScheduleChange)
@bp.output(ScheduleOut)
def change(schedule_id: UUID) -> tuple[ScheduleOut, int, dict[str, str]]:
    """Change a schedule; with If-Match only if nobody else did"""
    row = schedules.find(me(), schedule_id)
    check_sandbox(inside=False)
    given = {name: value for name, value in reading.body(ScheduleChange).model_dump().items() if value is not None}
    if request.if_match and not request.if_match.contains(_tag(row)):
        raise PreconditionFailed("Somebody changed this schedule meanwhile. Read it again, then repeat your change.")
    plan = reading.values(Plan, {name: given.get(name, getattr(row, name)) for name in Plan.model_fields})
    payload = reading.nested(kind_named(row.kind).payload, schedules.completed(row, given.get("payload")), "/payload")
    paused = given.get("paused", row.paused)
    return _shaped(schedules.change(me(), schedule_id, row.version, plan=plan, payload=payload, paused=paused))


@bp.delete("/schedules/<uuid:schedule_id>")
@bp.output({}, status_code=204)
def remove(schedule_id: UUID) -> tuple[str, int]:
    """Delete a schedule; the jobs that it fired stay"""
    schedules.remove(me(), schedule_id)
    return "", 204


@bp.post("/schedules/<uuid:schedule_id>/run")
@bp.output(JobOut, status_code=202)
def run(schedule_id: UUID) -> tuple[JobOut, int, dict[str, str]]:
    """Submit a schedule's job now, beside its fire times"""
    shaped = shape_jobs([schedules.run_now(me(), schedule_id, sandbox=sandbox())])[0]
    return shaped, 202, {"Location": shaped.links.self}


def _shaped(row: Schedule) -> tuple[ScheduleOut, int, dict[str, str]]:
    return _shape(row), 200, {"ETag": f'"{_tag(row)}"'}


def _tag(row: Schedule) -> str:
    return str(row.version)


def _shape(row: Schedule) -> ScheduleOut:
    plan = plan_of(row)
    return ScheduleOut(
        **plan.model_dump(), id=row.id, kind=row.kind, payload=jobs.payload(row), explained=plan.explained,
        paused=row.paused, problem=row.problem, version=row.version, created_at=row.created_at,
        next=[] if row.paused else plan.upcoming(),
        links={
            "self": url_for("api_schedules.show", schedule_id=row.id),
            "run": url_for("api_schedules.run", schedule_id=row.id),
            "page": url_for("schedules.show", schedule_id=row.id),
        },
    )  # fmt: skip
