"""Reports for programs: what to ask of which source, each version of it kept. `report.build` builds them."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import current_app, request, url_for

from webapi.blueprints import reading
from webapi.blueprints.api.openapi import refuse_query, takes_body
from webapi.blueprints.api.report_shapes import (
    ColumnOut,
    Look,
    ReportChange,
    ReportDraft,
    ReportIn,
    ReportLine,
    ReportList,
    ReportOut,
    ReportVersionLine,
    ReportVersionList,
)  # fmt: skip
from webapi.blueprints.identity import me, require_anyone
from webapi.errors import PreconditionFailed
from webapi.extensions import limiter
from webapi.models import Report
from webapi.services.reports import library, previewing
from webapi.services.reports.built_in import BUILT_IN
from webapi.services.reports.definition import DATA, Definition

bp = APIBlueprint("api_reports", __name__, tag="Reports")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

Shaped = tuple[ReportOut, int, dict[str, str]]


@bp.get("/reports")
@bp.output(ReportList)
def index() -> ReportList:
    """List your reports by name"""
    rows = [ReportLine.model_validate(row) for row in library.of(me().id)]
    sources = [DATA, *current_app.config["REPORT_SOURCES"]]
    return ReportList(reports=rows, built_in=list(BUILT_IN), sources=sources)


@bp.post("/reports")
@takes_body(ReportIn)
@bp.output(ReportOut, status_code=201)
def create() -> Shaped:
    """Write a report"""
    wanted = reading.body(ReportIn)
    shaped, _, headers = _shaped(library.create(me(), wanted.name, _definition(wanted)))
    return shaped, 201, {"Location": shaped.links["self"], **headers}


@bp.get("/reports/<uuid:report_id>")
@bp.output(ReportOut)
def show(report_id: UUID) -> Shaped:
    """Show a report with its newest version"""
    return _shaped(library.find(me().id, report_id))


@bp.patch("/reports/<uuid:report_id>")
@takes_body(ReportChange)
@bp.output(ReportOut)
def change(report_id: UUID) -> Shaped:
    """Save a new version that differs in some fields. With If-Match only if nobody else did"""
    row = library.find(me().id, report_id)
    if request.if_match and not request.if_match.contains(str(row.version)):
        raise PreconditionFailed("Somebody changed this report meanwhile. Read it again, then repeat your change.")
    given = reading.body(ReportChange).model_dump(mode="json", exclude_unset=True)
    before = library.definition_of(library.version_of(row)).model_dump(mode="json")
    return _shaped(library.change(me(), report_id, reading.values(Definition, before | given), row.version))


@bp.delete("/reports/<uuid:report_id>")
@bp.output({}, status_code=204)
def remove(report_id: UUID) -> tuple[str, int]:
    """Delete a report; what was accepted with it is still built"""
    library.remove(me(), report_id)
    return "", 204


@bp.get("/reports/<uuid:report_id>/versions")
@bp.output(ReportVersionList)
def versions(report_id: UUID) -> ReportVersionList:
    """List the versions of a report, newest first"""
    rows = library.versions(library.find(me().id, report_id))
    return ReportVersionList(versions=[ReportVersionLine.model_validate(row) for row in rows])


@bp.post("/reports/preview")
@limiter.limit("30/minute")
@takes_body(ReportDraft)
@bp.output(Look)
def preview() -> Look:
    """Show the first rows of a report that is not saved"""
    draft = reading.body(ReportDraft)
    seen = previewing.look(me().id, _definition(draft), draft.values, draft.timezone)
    columns = [ColumnOut(name=name, type=kind) for name, kind in seen.columns]
    return Look(columns=columns, rows=seen.rows, more=seen.more)


def _definition(given: Definition) -> Definition:
    return Definition.model_construct(**{name: getattr(given, name) for name in Definition.model_fields})


def _shaped(row: Report) -> Shaped:
    links = {
        "self": url_for("api_reports.show", report_id=row.id),
        "versions": url_for("api_reports.versions", report_id=row.id),
        "build": url_for("api_jobs.submit", kind="report.build"),
        "page": url_for("reports.show", report_id=row.id),
    }
    definition = library.definition_of(library.version_of(row)).model_dump()
    shaped = ReportOut(**ReportLine.model_validate(row).model_dump(), **definition, links=links)
    return shaped, 200, {"ETag": f'"{row.version}"'}
