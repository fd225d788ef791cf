"""Pages: reports, written beside a look at their rows, built, and scheduled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field
from werkzeug.datastructures import MultiDict

from webapi.blueprints import forms, nonces, reading, report_forms
from webapi.blueprints.identity import me, require_person
from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.extensions import limiter
from webapi.models import Report, ReportVersion
from webapi.queue import kind_named
from webapi.services import double_clicks, job_lists, jobs
from webapi.services.plans import Plan
from webapi.services.queries.periods import PERIODS
from webapi.services.reports import library, own, previewing
from webapi.services.reports.built_in import BUILT_IN
from webapi.services.reports.definition import Definition

bp = APIBlueprint("reports", __name__, url_prefix="/reports", enable_openapi=False)
bp.before_request(require_person)

KIND = "report.build"
RECENT = 200  # jobs among which a page looks for the builds of its report
FIRST = Definition(
    title="Jobs by kind", sql="SELECT kind, state, count(*) AS jobs\nFROM jobs\nGROUP BY ALL\nORDER BY ALL"
)


class Seen(BaseModel):
    """Which version somebody had before their eyes."""

    version: int = Field(ge=1, le=999_999_999)


class Numbered(BaseModel):
    """An older version, to be looked at and perhaps saved again."""

    version: int | None = Field(None, ge=1, le=999_999_999)


@bp.get("")
def index() -> ResponseReturnValue:
    rows = [(row, library.version_of(row)) for row in library.of(me().id)]
    return render_template("reports/index.html", rows=rows, built_in=BUILT_IN)


@bp.get("/new")
def form() -> ResponseReturnValue:
    return _edit(None, report_forms.shown(FIRST), ())


@bp.post("/new")
def create() -> ResponseReturnValue:
    try:
        row = library.create(me(), request.form.get("name", "").strip(), report_forms.definition(request.form))
    except (Invalid, Conflict) as error:
        return _edit(None, request.form, error.faults or (Fault("/name", error.message),)), 422
    flash("The report is saved. Build it, or set a schedule.")
    return redirect(url_for("reports.show", report_id=row.id), 303)


@bp.get("/<uuid:report_id>/edit")
def edit_form(report_id: UUID) -> ResponseReturnValue:
    row = library.find(me().id, report_id)
    found = library.version_of(row, reading.query(Numbered).version)
    return _edit(row, report_forms.shown(library.definition_of(found)), ())


@bp.post("/<uuid:report_id>/edit")
def edit(report_id: UUID) -> ResponseReturnValue:
    row = library.find(me().id, report_id)
    try:
        seen = reading.values(Seen, {"version": request.form.get("version", "")}).version
        library.change(me(), report_id, report_forms.definition(request.form), seen)
    except (Invalid, Conflict) as error:
        return _edit(row, request.form, error.faults or (Fault("", error.message),)), 422
    flash("A new version is saved.")
    return redirect(url_for("reports.show", report_id=report_id), 303)


@bp.post("/preview")
@limiter.limit("60/minute")
def preview() -> ResponseReturnValue:
    """The first rows of what somebody is writing, as a part of the page."""
    try:
        definition = report_forms.definition(request.form)
        given = {each.name: each.default for each in definition.parameters if each.default}
        look = previewing.look(me().id, definition, given, "UTC")
    except Invalid as error:
        return render_template("reports/look.html", fault=(error.faults or (Fault("", error.message),))[0].message)
    return render_template("reports/look.html", look=look)


@bp.post("/<uuid:report_id>/delete")
def remove(report_id: UUID) -> ResponseReturnValue:
    library.remove(me(), report_id)
    flash("The report is deleted. What was built of it stays.")
    return redirect(url_for("reports.index"), 303)


@bp.get("/<uuid:report_id>")
def show(report_id: UUID) -> ResponseReturnValue:
    row = library.find(me().id, report_id)
    return _show(row, row.name, None, ())


@bp.get("/built-in/<name>")
def show_built_in(name: str) -> ResponseReturnValue:
    return _show(None, _built_in(name), None, ())


@bp.post("/<uuid:report_id>")
def build(report_id: UUID) -> ResponseReturnValue:
    row = library.find(me().id, report_id)
    return _asked(row, row.name)


@bp.post("/built-in/<name>")
def build_built_in(name: str) -> ResponseReturnValue:
    return _asked(None, _built_in(name))


def _built_in(name: str) -> str:
    if name not in BUILT_IN:
        raise NotFound("There is no such report.")
    return name


def _asked(row: Report | None, name: str) -> ResponseReturnValue:
    """Build it now, or set a schedule, as the button says."""
    kind = kind_named(KIND)
    try:
        values = forms.read(kind.payload, me(), request.form, request.files)
        payload = reading.values(kind.payload, values | {"report": name, "parameters": report_forms.values()})
        if "schedule" in request.form:
            plan = reading.values(Plan, {each: request.form.get(each, "") for each in ("name", "cron", "timezone")})
            schedule = double_clicks.schedule(me(), nonces.given(), kind, payload, plan)
            flash("The schedule is set.")
            return redirect(url_for("schedules.show", schedule_id=schedule.id), 303)
        job = jobs.submit(me(), kind, payload, once=nonces.once(KIND, payload))
    except Invalid as error:
        return _show(row, name, request.form, error.faults or (Fault("", error.message),)), 422
    return redirect(url_for("jobs.show", job_id=job.id), 303)


def _edit(row: Report | None, given: MultiDict[str, str], faults: tuple[Fault, ...]) -> str:
    return render_template(
        "reports/edit.html",
        row=row,
        given=given,
        faults=faults,
        parameters=report_forms.table(given),
        sources=report_forms.sources(),
        own=own.TABLES,
        history=library.versions(row) if row else (),
    )


def _show(row: Report | None, name: str, given: Any, faults: tuple[Fault, ...]) -> str:
    version = library.referred(me().id, name)
    definition = library.definition_of(version)
    common, others = report_forms.options(kind_named(KIND).payload, given, faults)
    return render_template(
        "reports/show.html",
        row=row,
        name=name,
        version=version,
        definition=definition,
        questions=report_forms.questions(definition.parameters, given or {}, faults),
        common=common,
        others=others,
        faults=faults,
        given=given or {},
        periods=PERIODS,
        builds=_builds(version, name),
    )


def _builds(version: ReportVersion, name: str) -> list[Any]:
    recent = job_lists.page(me(), job_lists.Wanted(kinds=[KIND]), limit=RECENT).jobs
    return [job for job in recent if str(job.payload.get("report", "")).partition("@")[0] == name][:20]
