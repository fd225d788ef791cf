"""Pages: email templates, with what a reader will see beside the source."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from webapi.blueprints import forms, reading
from webapi.blueprints.answers import mail_document
from webapi.blueprints.identity import me, require_person
from webapi.errors import Conflict, Fault, Invalid
from webapi.models import Template
from webapi.services.mail import letters, templates
from webapi.services.mail.templates import Wording

bp = APIBlueprint("templates", __name__, url_prefix="/templates", enable_openapi=False)
bp.before_request(require_person)

VALUE = "value-"  # before the names of the values that somebody tries
FIRST = Wording(
    subject="Your invoice, {{first_name}}",
    html="<h1>Dear {{first_name}},</h1>\n<p>please find your invoice of {{amount}} here.</p>\n"
    '<p><a class="button" href="{{link}}">Open the invoice</a></p>\n',
)


class Named(BaseModel):
    """The part of the form that an existing template does not show."""

    name: str = Field(min_length=1, max_length=100, description="Lower-case letters, digits, dots and dashes.")


class Seen(BaseModel):
    """Which version somebody had before their eyes."""

    version: int = Field(ge=1)


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("templates/index.html", rows=templates.of(me().id))


@bp.get("/new")
def form() -> ResponseReturnValue:
    return _draw(None, FIRST.model_dump(), ())


@bp.post("/new")
def create() -> ResponseReturnValue:
    try:
        name = reading.values(Named, {"name": request.form.get("name", "").strip()}).name
        row = templates.create(me(), name, _wording())
    except (Invalid, Conflict) as error:
        return _draw(None, request.form, error.faults or (Fault("/name", error.message),)), 422
    flash("The template is saved.")
    return redirect(url_for("templates.show", template_id=row.id), 303)


@bp.get("/<uuid:template_id>")
def show(template_id: UUID) -> ResponseReturnValue:
    row = templates.find(me().id, template_id)
    version = reading.query(Version).version or row.version
    return _draw(row, templates.wording(row.id, version).model_dump(), ())


class Version(BaseModel):
    """An older version, to be looked at and perhaps saved again."""

    version: int | None = Field(None, ge=1)


@bp.post("/<uuid:template_id>")
def change(template_id: UUID) -> ResponseReturnValue:
    row = templates.find(me().id, template_id)
    try:
        seen = reading.values(Seen, {"version": request.form.get("version", "")}).version
        templates.change(me(), template_id, _wording(), seen)
    except (Invalid, Conflict) as error:
        return _draw(row, request.form, error.faults or (Fault("", error.message),)), 422
    flash("A new version is saved.")
    return redirect(url_for("templates.show", template_id=template_id), 303)


@bp.post("/<uuid:template_id>/delete")
def remove(template_id: UUID) -> ResponseReturnValue:
    templates.remove(me(), template_id)
    flash("The template is deleted.")
    return redirect(url_for("templates.index"), 303)


@bp.post("/preview")
def preview() -> ResponseReturnValue:
    """What somebody is writing, as its reader will see it: the HTML, for a frame."""
    try:
        said = templates.sample(_wording().prepared(), _values())
    except Invalid as error:
        return mail_document(render_template("templates/fault.html", fault=_first(error)))
    return mail_document(said.html or render_template("templates/plain.html", text=said.text))


@bp.post("/preview/facts")
def facts() -> ResponseReturnValue:
    """The rest of it, as a part of the page: the subject, the text, and a field for each placeholder."""
    try:
        prepared = _wording().prepared()
        said = templates.sample(prepared, _values())
    except Invalid as error:
        return render_template("templates/facts.html", fault=_first(error))
    return render_template("templates/facts.html", said=said, names=prepared.names, values=_values())


def _wording() -> Wording:
    given = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("subject", "html", "text")}
    return reading.values(Wording, {**given, "layout": "layout" in request.form})


def _values() -> dict[str, str]:
    return {name.removeprefix(VALUE): value for name, value in request.form.items() if name.startswith(VALUE)}


def _first(error: Invalid) -> str:
    return error.faults[0].message if error.faults else error.message


def _draw(row: Template | None, given: object, faults: tuple[Fault, ...]) -> Response:
    values = {key: _shown(value) for key, value in dict(given).items()}  # type: ignore[call-overload]
    fields = forms.fields_of(Wording, values, faults)
    if row is None:
        fields = [*forms.fields_of(Named, values, faults), *fields]
    drawn = {field.name for field in fields}
    other = [each.message for each in faults if each.pointer.strip("/") not in drawn]
    history = templates.versions(row) if row else ()
    page = render_template(
        "templates/edit.html", row=row, fields=fields, other_faults=other, history=history, brand=letters.UNSUBSCRIBE
    )
    return make_response(page)


def _shown(value: object) -> str:
    return ("on" if value else "") if isinstance(value, bool) else str(value)
