"""Templates for programs: a mail's text under a name, each version of it kept."""

from __future__ import annotations

import re
from uuid import UUID

from apiflask import APIBlueprint
from flask import request, url_for

from webapi.blueprints import reading
from webapi.blueprints.api.openapi import refuse_query, takes_body
from webapi.blueprints.api.template_shapes import (
    Draft,
    Preview,
    TemplateChange,
    TemplateIn,
    TemplateLine,
    TemplateList,
    TemplateOut,
    Values,
    VersionLine,
    VersionList,
    VersionOut,
)  # fmt: skip
from webapi.blueprints.identity import me, require_anyone
from webapi.errors import NotFound, PreconditionFailed
from webapi.models import Template
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording

bp = APIBlueprint("api_templates", __name__, tag="Templates")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

NUMBER = re.compile(r"[1-9][0-9]{0,8}")
Shaped = tuple[TemplateOut, int, dict[str, str]]


@bp.get("/templates")
@bp.output(TemplateList)
def index() -> TemplateList:
    """List your templates by name"""
    return TemplateList(templates=[TemplateLine.model_validate(row) for row in templates.of(me().id)])


@bp.post("/templates")
@takes_body(TemplateIn)
@bp.output(TemplateOut, status_code=201)
def create() -> Shaped:
    """Write a template"""
    wanted = reading.body(TemplateIn)
    shaped, _, headers = _shaped(templates.create(me(), wanted.name, _wording(wanted)))
    return shaped, 201, {"Location": shaped.links["self"], **headers}


@bp.get("/templates/<uuid:template_id>")
@bp.output(TemplateOut)
def show(template_id: UUID) -> Shaped:
    """Show a template with its newest wording"""
    return _shaped(templates.find(me().id, template_id))


@bp.put("/templates/<uuid:template_id>")
@takes_body(Wording)
@bp.output(TemplateOut)
def replace(template_id: UUID) -> Shaped:
    """Save a new version; the older ones stay. With If-Match only if nobody else did"""
    row = _unchanged(template_id)
    return _shaped(templates.change(me(), template_id, reading.body(Wording), row.version))


@bp.patch("/templates/<uuid:template_id>")
@takes_body(TemplateChange)
@bp.output(TemplateOut)
def change(template_id: UUID) -> Shaped:
    """Save a new version that differs in some fields. With If-Match only if nobody else did"""
    row = _unchanged(template_id)
    given = {name: value for name, value in reading.body(TemplateChange).model_dump().items() if value is not None}
    wording = reading.values(Wording, templates.wording(row.id, row.version).model_dump() | given)
    return _shaped(templates.change(me(), template_id, wording, row.version))


@bp.delete("/templates/<uuid:template_id>")
@bp.output({}, status_code=204)
def remove(template_id: UUID) -> tuple[str, int]:
    """Delete a template; what was accepted with it is still sent"""
    templates.remove(me(), template_id)
    return "", 204


@bp.get("/templates/<uuid:template_id>/versions")
@bp.output(VersionList)
def versions(template_id: UUID) -> VersionList:
    """List the versions of a template, newest first"""
    rows = templates.versions(templates.find(me().id, template_id))
    return VersionList(versions=[VersionLine.model_validate(row) for row in rows])


@bp.get("/templates/<uuid:template_id>/versions/<number>")
@bp.output(VersionOut)
def version(template_id: UUID, number: str) -> VersionOut:
    """Show what a version of a template says"""
    row = templates.find(me().id, template_id)
    if not NUMBER.fullmatch(number):
        raise NotFound("The template has no such version.")
    return _version(row, int(number))


@bp.post("/templates/<uuid:template_id>/preview")
@takes_body(Values)
@bp.output(Preview)
def preview(template_id: UUID) -> Preview:
    """Fill in the newest wording of a template, for whoever wants to read it before it is mailed"""
    row = templates.find(me().id, template_id)
    return _preview(templates.wording(row.id, row.version), reading.body(Values).values)


@bp.post("/templates/preview")
@takes_body(Draft)
@bp.output(Preview)
def preview_draft() -> Preview:
    """Fill in a wording that is not saved"""
    draft = reading.body(Draft)
    return _preview(_wording(draft), draft.values)


def _wording(given: Wording) -> Wording:
    return Wording.model_construct(**{name: getattr(given, name) for name in Wording.model_fields})


def _preview(wording: Wording, values: dict[str, str]) -> Preview:
    prepared = wording.prepared()
    given = {name.lower(): value for name, value in values.items()}
    said = templates.sample(prepared, given)
    missing = [name for name in prepared.names if not given.get(name)]
    return Preview(subject=said.subject, text=said.text, html=said.html, missing=missing)


def _unchanged(template_id: UUID) -> Template:
    row = templates.find(me().id, template_id)
    if request.if_match and not request.if_match.contains(str(row.version)):
        raise PreconditionFailed("Somebody changed this template meanwhile. Read it again, then repeat your change.")
    return row


def _version(row: Template, number: int) -> VersionOut:
    wording = templates.wording(row.id, number)
    return VersionOut(version=number, placeholders=list(wording.prepared().names), **wording.model_dump())


def _shaped(row: Template) -> Shaped:
    links = {
        "self": url_for("api_templates.show", template_id=row.id),
        "versions": url_for("api_templates.versions", template_id=row.id),
        "preview": url_for("api_templates.preview", template_id=row.id),
        "page": f"/templates/{row.id}",
    }
    line = TemplateLine.model_validate(row).model_dump()
    shaped = TemplateOut(**{**line, **_version(row, row.version).model_dump()}, links=links)
    return shaped, 200, {"ETag": f'"{row.version}"'}
