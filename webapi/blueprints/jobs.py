"""Pages: the overview, the kinds and their forms, one job. The list is in `job_lists`."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from webapi.blueprints import forms, live, nonces, reading
from webapi.blueprints import overview as first_page
from webapi.blueprints.answers import download, public_kinds
from webapi.blueprints.identity import me, require_person
from webapi.errors import Invalid
from webapi.models import State
from webapi.queue import Kind
from webapi.queue.control import Answer
from webapi.services import jobs

bp = APIBlueprint("jobs", __name__, enable_openapi=False)
bp.before_request(require_person)


@bp.get("/")
def overview() -> ResponseReturnValue:
    return first_page.drawn(me())


@bp.get("/new")
def kinds() -> ResponseReturnValue:
    return render_template("jobs/kinds.html", kinds=public_kinds())


@bp.get("/new/<kind_name>")
def form(kind_name: str) -> ResponseReturnValue:
    kind = jobs.public_kind(kind_name)
    return _draw(kind, forms.fields_of(kind.payload), [])


@bp.post("/new/<kind_name>")
def submit(kind_name: str) -> ResponseReturnValue:
    kind, owner = jobs.public_kind(kind_name), me()
    try:
        payload = reading.values(kind.payload, forms.read(kind.payload, owner, request.form, request.files))
        more = reading.values(More, _more())
        once = nonces.once(kind_name, payload, more)
        job = jobs.submit(owner, kind, payload, delay=more.delay, callback_url=more.callback_url, once=once)
    except Invalid as error:
        fields = forms.fields_of(kind.payload, request.form, error.faults)
        other = [
            fault.message
            for fault in error.faults
            if not any(fault.pointer.startswith(f"/{each.name}") for each in fields)
        ]
        return _draw(kind, fields, other or ([] if error.faults else [error.message])), 422
    return redirect(url_for("jobs.show", job_id=job.id), 303)


def _draw(kind: Kind, fields: list[forms.Field], other_faults: list[str]) -> str:
    return render_template("jobs/new.html", kind=kind, fields=fields, other_faults=other_faults)


class More(BaseModel):
    """Seconds to wait before the job begins, and where to tell that it is over."""

    delay: float = Field(0, ge=0, le=366 * 86400)
    callback_url: str | None = Field(None, max_length=2000)


def _more() -> dict[str, str]:
    given = {name: request.form.get(name, "").strip() for name in More.model_fields}
    return {name: text for name, text in given.items() if text}


@bp.get("/jobs/<uuid:job_id>")
def show(job_id: UUID) -> ResponseReturnValue:
    return render_template("jobs/show.html", live=False, **live.shown(jobs.find(me(), job_id)))


@bp.post("/jobs/<uuid:job_id>/cancel")
def cancel(job_id: UUID) -> ResponseReturnValue:
    job = jobs.cancel(me(), job_id)
    flash("The job is cancelled." if State(job.state).final else "The job was asked to stop.")
    return redirect(url_for("jobs.show", job_id=job_id), 303)


@bp.post("/jobs/<uuid:job_id>/replay")
def replay(job_id: UUID) -> ResponseReturnValue:
    jobs.replay(me(), job_id)
    flash("The job runs again. What is done is not repeated.")
    return redirect(url_for("jobs.show", job_id=job_id), 303)


@bp.post("/jobs/<uuid:job_id>/resolve")
def resolve(job_id: UUID) -> ResponseReturnValue:
    """The buttons beside unknown and held receipts: the effect's id and the answer."""
    given = {name: value for name, value in request.form.items() if name in Settled.model_fields}
    answer = reading.values(Settled, given)
    if answer.answer == "release":
        jobs.release(me(), job_id, [answer.effect])
    else:
        jobs.resolve(me(), job_id, {answer.effect: answer.answer})
    flash({"release": "It is sent.", "resend": "It is sent again."}.get(answer.answer, "It counts as delivered."))
    return redirect(url_for("jobs.show", job_id=job_id), 303)


class Settled(BaseModel):
    """What a person found out about one effect."""

    effect: UUID
    answer: Answer | Literal["release"]


@bp.get("/jobs/<uuid:job_id>/artifacts/<name>")
def artifact(job_id: UUID, name: str) -> ResponseReturnValue:
    return download(jobs.find(me(), job_id), name)
