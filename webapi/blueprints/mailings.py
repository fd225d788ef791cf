"""Pages: mailings. A file is checked, looked at, confirmed, and watched to its last receipt."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from webapi.blueprints import forms, reading
from webapi.blueprints.answers import mail_document
from webapi.blueprints.identity import me, require_person
from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.models import EffectState
from webapi.queue import kind_named
from webapi.services import jobs
from webapi.services.mail import senders, templates
from webapi.services.mailings import steering, watching

bp = APIBlueprint("mailings", __name__, url_prefix="/mailings", enable_openapi=False)
bp.before_request(require_person)

KIND = "email.bulk"
LATER = {"confirm", "leave_out_bad"}  # asked when the file has been checked
SHOWN = (EffectState.UNKNOWN, EffectState.REFUSED, EffectState.HELD)


class Answered(BaseModel):
    """What a person decides about one mail."""

    answer: Literal["release", "resend", "delivered"]


@bp.get("")
def index() -> ResponseReturnValue:
    rows = [(row, watching.standing(row)) for row in steering.of(me().id)]
    return render_template("mailings/index.html", rows=rows, names=_names())


@bp.get("/new")
def form() -> ResponseReturnValue:
    return _draw(None, ())


@bp.post("/new")
def create() -> ResponseReturnValue:
    kind, owner = kind_named(KIND), me()
    try:
        payload = reading.values(kind.payload, forms.read(kind.payload, owner, request.form, request.files))
        job = jobs.submit(owner, kind, payload)
    except Invalid as error:
        return _draw(request.form, error.faults or (Fault("", error.message),), error.details.get("first")), 422
    return redirect(url_for("mailings.show", mailing_id=job.id), 303)


@bp.get("/<uuid:mailing_id>")
def show(mailing_id: UUID) -> ResponseReturnValue:
    try:
        row = steering.find(me().id, mailing_id)
    except NotFound:
        return _not_begun(mailing_id)
    found = watching.standing(row)
    named = {state: watching.mails(row, [state]) for state in SHOWN if found.phase not in {"checking", "faulty"}}
    job = jobs.find(me(), mailing_id)
    return render_template("mailings/show.html", row=row, standing=found, mails=named, job=job, names=_names())


@bp.get("/<uuid:mailing_id>/preview/<int:number>")
def preview(mailing_id: UUID, number: int) -> ResponseReturnValue:
    """One of the rows that the page shows, as its reader will see it: 0 is the first, 1 the longest, then doubts."""
    row = steering.find(me().id, mailing_id)
    found = row.findings
    shown = [found.get("first"), found.get("longest"), *found.get("doubts", ())]
    if number >= len(shown) or shown[number] is None:
        raise NotFound("There is no such row.")
    wording = templates.wording(row.template_id, row.template_version)
    said = templates.sample(wording.prepared(bulk=True), shown[number]["values"])
    return mail_document(said.html or render_template("templates/plain.html", text=said.text))


@bp.post("/<uuid:mailing_id>/confirm")
def confirm(mailing_id: UUID) -> ResponseReturnValue:
    row = steering.find(me().id, mailing_id)
    try:
        steering.confirm(row, leave_out_bad="leave_out_bad" in request.form)
    except Invalid as error:
        raise Conflict(error.faults[0].message) from None
    return _back(mailing_id, "The mailing has begun.")


@bp.post("/<uuid:mailing_id>/pause")
def pause(mailing_id: UUID) -> ResponseReturnValue:
    steering.pause(steering.find(me().id, mailing_id))
    return _back(mailing_id, "Paused. Mails that are under way get their receipts; no further one begins.")


@bp.post("/<uuid:mailing_id>/resume")
def resume(mailing_id: UUID) -> ResponseReturnValue:
    steering.resume(steering.find(me().id, mailing_id))
    return _back(mailing_id, "The mailing goes on.")


@bp.post("/<uuid:mailing_id>/cancel")
def cancel(mailing_id: UUID) -> ResponseReturnValue:
    steering.cancel(steering.find(me().id, mailing_id), jobs.actor(me()))
    return _back(mailing_id, "Cancelled. Who has been mailed has been mailed; nobody else is.")


@bp.post("/<uuid:mailing_id>/again")
def again(mailing_id: UUID) -> ResponseReturnValue:
    parts = steering.send_again(steering.find(me().id, mailing_id), jobs.actor(me()))
    return _back(mailing_id, "Sending again to those who were not reached." if parts else "There is nobody left.")


@bp.post("/<uuid:mailing_id>/mails/<uuid:effect_id>")
def answer(mailing_id: UUID, effect_id: UUID) -> ResponseReturnValue:
    """The buttons beside a mail: release a held one, or settle an uncertain one."""
    row = steering.find(me().id, mailing_id)
    given = reading.values(Answered, {"answer": request.form.get("answer", "")}).answer
    steering.settle(me(), row, effect_id, given)
    return _back(mailing_id, "It counts as delivered." if given == "delivered" else "It is sent.")


@bp.get("/<uuid:mailing_id>/recipients.csv")
def recipients(mailing_id: UUID) -> ResponseReturnValue:
    """The file as it was handed in, with a verdict on each row."""
    row = steering.find(me().id, mailing_id)
    column = jobs.find(me(), mailing_id).payload.get("address_column")
    name = f"{row.file_name.rpartition('.')[0] or row.file_name} with verdicts.csv"
    response = Response(stream_with_context(watching.verdicts(row, column)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _not_begun(mailing_id: UUID) -> str:
    """The job that is to check the file has not begun yet."""
    job = jobs.find(me(), mailing_id)
    if job.kind != KIND:
        raise NotFound("There is no such mailing.")
    return render_template("mailings/show.html", row=None, job=job, standing=None, mails={}, names={})


def _back(mailing_id: UUID, sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("mailings.show", mailing_id=mailing_id), 303)


def _names() -> dict[UUID, str]:
    return {row.id: row.name for row in templates.of(me().id)}


def _draw(given: object, faults: tuple[Fault, ...], first: object = None) -> str:
    owner = me()
    values = dict(given or request.args) if given or request.args else None  # type: ignore[call-overload]
    fields = [each for each in forms.fields_of(kind_named(KIND).payload, values, faults) if each.name not in LATER]
    own = [each.address for each in senders.of(owner.id) if each.verified_at]
    offered = {"template": [row.name for row in templates.of(owner.id)], "sender": ["", *own]}
    for field in fields:
        if field.name in offered:
            field.widget, field.choices = "select", offered[field.name]
    fields = [each for each in fields if each.name != "again" or first]
    drawn = {each.name for each in fields}
    other = [each.message for each in faults if each.pointer.strip("/").partition("/")[0] not in drawn]
    return render_template(
        "mailings/new.html", fields=fields, other_faults=other, first=first, ready=bool(offered["template"])
    )
