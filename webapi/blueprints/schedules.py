"""Pages: the schedules of a person."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from webapi.blueprints import forms, nonces, reading
from webapi.blueprints.answers import public_kinds
from webapi.blueprints.identity import me, require_person
from webapi.errors import Fault, Invalid
from webapi.models import Schedule
from webapi.queue import Kind, cron, kind_named
from webapi.services import double_clicks, jobs, schedules
from webapi.services.plans import Plan, plan_of

bp = APIBlueprint("schedules", __name__, url_prefix="/schedules", enable_openapi=False)
bp.before_request(require_person)

WHEN = "when-"  # before the names of the plan's fields: a payload may have a field called `name` too


class Edited(BaseModel):
    """Which version of a schedule somebody had before their eyes."""

    version: int = 0


class Previewed(BaseModel):
    """What the form holds while somebody types."""

    cron: str = ""
    timezone: str = "UTC"


@bp.get("")
def index() -> ResponseReturnValue:
    rows = [(row, plan_of(row)) for row in schedules.of(me())]
    return render_template("schedules/index.html", rows=rows, kinds=public_kinds())


@bp.get("/new/<kind_name>")
def form(kind_name: str) -> ResponseReturnValue:
    return _draw(jobs.public_kind(kind_name), None, {}, ())


@bp.post("/new/<kind_name>")
def create(kind_name: str) -> ResponseReturnValue:
    kind = jobs.public_kind(kind_name)
    try:
        plan, payload = _read(kind, None)
        row = double_clicks.schedule(me(), nonces.given(), kind, payload, plan)
    except Invalid as error:
        return _draw(kind, None, request.form, error.faults or (Fault("", error.message),)), 422
    flash("The schedule is set.")
    return redirect(url_for("schedules.show", schedule_id=row.id), 303)


@bp.get("/preview")
def preview() -> ResponseReturnValue:
    """The next fire times of what is being typed, as a part of the form's page."""
    given = {name.removeprefix(WHEN): value for name, value in request.args.items()}
    typed = reading.values(Previewed, {name: given[name] for name in Previewed.model_fields if name in given})
    try:
        cron.check(typed.cron, typed.timezone)
    except ValueError as error:
        return render_template("schedules/preview.html", fault=str(error) if typed.cron.strip() else None)
    return render_template("schedules/preview.html", plan=Plan(name="preview", **typed.model_dump()))


@bp.get("/<uuid:schedule_id>")
def show(schedule_id: UUID) -> ResponseReturnValue:
    row = schedules.find(me(), schedule_id)
    facts = {"plan": plan_of(row), "history": schedules.history(row), "payload": jobs.payload(row)}
    return render_template("schedules/show.html", row=row, **facts)


@bp.get("/<uuid:schedule_id>/edit")
def edit_form(schedule_id: UUID) -> ResponseReturnValue:
    row = schedules.find(me(), schedule_id)
    kind = kind_named(row.kind)
    given = forms.filled(kind.payload, jobs.payload(row))
    given |= {WHEN + name: str(value or "") for name, value in plan_of(row).model_dump().items()}
    return _draw(kind, row, given, ())


@bp.post("/<uuid:schedule_id>/edit")
def edit(schedule_id: UUID) -> ResponseReturnValue:
    row = schedules.find(me(), schedule_id)
    kind = kind_named(row.kind)
    try:
        plan, payload = _read(kind, row)
        version = reading.values(Edited, {"version": request.form.get("version", "")}).version
        schedules.change(me(), schedule_id, version, plan=plan, payload=payload, paused=row.paused)
    except Invalid as error:
        return _draw(kind, row, request.form, error.faults or (Fault("", error.message),)), 422
    flash("The schedule is changed.")
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


@bp.post("/<uuid:schedule_id>/pause")
def pause(schedule_id: UUID) -> ResponseReturnValue:
    schedules.set_paused(me(), schedule_id, True)
    flash("The schedule rests until you resume it.")
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


@bp.post("/<uuid:schedule_id>/resume")
def resume(schedule_id: UUID) -> ResponseReturnValue:
    schedules.set_paused(me(), schedule_id, False)
    flash("The schedule goes on with its next time.")
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


@bp.post("/<uuid:schedule_id>/run")
def run(schedule_id: UUID) -> ResponseReturnValue:
    job = schedules.run_now(me(), schedule_id, once=nonces.once("run", str(schedule_id)))
    return redirect(url_for("jobs.show", job_id=job.id), 303)


@bp.post("/<uuid:schedule_id>/delete")
def remove(schedule_id: UUID) -> ResponseReturnValue:
    schedules.remove(me(), schedule_id)
    flash("The schedule is deleted. Its jobs stay.")
    return redirect(url_for("schedules.index"), 303)


def _read(kind: Kind, row: Schedule | None) -> tuple[Plan, BaseModel]:
    """The form as a plan and a payload, with the faults of both. A file or a secret that is not given anew stays."""
    faults: list[Fault] = []
    given = {name.removeprefix(WHEN): value for name, value in request.form.items() if name.startswith(WHEN)}
    plan = payload = None
    try:
        plan = reading.values(Plan, given)
    except Invalid as error:
        faults += [Fault(f"/{WHEN}{each.pointer[1:]}", each.message) for each in error.faults]
    try:
        values = forms.read(kind.payload, me(), request.form, request.files)
        if row is not None:
            values = schedules.completed(row, forms.kept(kind.payload, row.payload) | values)
        payload = reading.values(kind.payload, values)
    except Invalid as error:
        faults += error.faults
    if plan is None or payload is None:
        raise Invalid(faults=tuple(faults))
    return plan, payload


def _draw(kind: Kind, row: Schedule | None, given: dict[str, str], faults: tuple[Fault, ...]) -> str:
    when = forms.fields_of(Plan)
    for field in when:
        field.name = WHEN + field.name
        field.value = given.get(field.name, field.value)
        field.faults = [each.message for each in faults if each.pointer == f"/{field.name}"]
        field.attributes |= {"list": "timezones"} if field.name == f"{WHEN}timezone" else {}
    fields = forms.fields_of(kind.payload, given or None, faults)
    drawn = {field.name for field in [*when, *fields]}
    other = [each.message for each in faults if each.pointer.strip("/").partition("/")[0] not in drawn]
    return render_template(
        "schedules/form.html", kind=kind, row=row, when=when, fields=fields, other_faults=other, zones=cron.zones()
    )
