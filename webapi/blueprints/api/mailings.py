"""Mailings for programs: one template for every row of a file."""

from __future__ import annotations

from itertools import chain
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, stream_with_context, url_for
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.api.jobs import SubmitQuery, accept
from webapi.blueprints.api.mail_shapes import Confirmation, MailCounts, MailingOut, MailingPage, MailOut, MailPage
from webapi.blueprints.api.openapi import refuse_query, takes_body, takes_query
from webapi.blueprints.api.shapes import JobOut, Release
from webapi.blueprints.api.shaping import shape_jobs
from webapi.blueprints.identity import check_sandbox, me, require_anyone
from webapi.errors import Conflict, NotFound
from webapi.models import EffectState, Job, Mailing
from webapi.services import job_lists, jobs
from webapi.services.mailings import releasing, steering, watching

bp = APIBlueprint("api_mailings", __name__, tag="Mailings")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

KIND = "email.bulk"


class MailingQuery(BaseModel):
    """Which mailings to list."""

    cursor: str | None = Field(
        None, description="From the previous page's next_cursor.", json_schema_extra={"pattern": job_lists.CURSOR}
    )
    limit: int = Field(20, ge=1, le=100)


class MailQuery(BaseModel):
    """Which mails to list; without a state, those in all."""

    state: list[EffectState] = []
    cursor: str = Field("", max_length=320, description="From the previous page's next_cursor.")
    limit: int = Field(100, ge=1, le=1000)


@bp.post("/mailings")
@takes_query(SubmitQuery)
@bp.output(JobOut, status_code=202, description="The job is on disk and will check the file, row by row.")
def create() -> tuple[JobOut, int, dict[str, str]]:
    """Mail everybody in a file; the body is the payload of the kind email.bulk and nothing else"""
    accepted, headers = accept(KIND)
    headers |= {"Location": url_for("api_mailings.show", mailing_id=accepted.job.id), "Retry-After": "1"}
    return shape_jobs([accepted.job])[0], 202, headers


@bp.get("/mailings")
@takes_query(MailingQuery)
@bp.output(MailingPage)
def index() -> MailingPage:
    """List your mailings, newest first"""
    query = reading.query(MailingQuery)
    page = job_lists.page(me(), job_lists.Wanted(kinds=[KIND]), cursor=query.cursor, limit=query.limit)
    begun = watching.among([job.id for job in page.jobs])
    return MailingPage(mailings=[_shape(job, begun.get(job.id)) for job in page.jobs], next_cursor=page.next_cursor)


@bp.get("/mailings/<uuid:mailing_id>")
@bp.output(MailingOut)
def show(mailing_id: UUID) -> MailingOut:
    """Show a mailing: what was found in its file, and how its mails stand"""
    return _shaped(mailing_id)


@bp.post("/mailings/<uuid:mailing_id>/confirm")
@takes_body(Confirmation)
@bp.output(MailingOut)
def confirm(mailing_id: UUID) -> MailingOut:
    """Begin to send a mailing that is checked and waits"""
    steering.confirm(_mailing(mailing_id, acts=True), leave_out_bad=reading.body(Confirmation).leave_out_bad)
    return _shaped(mailing_id)


@bp.post("/mailings/<uuid:mailing_id>/pause")
@bp.output(MailingOut)
def pause(mailing_id: UUID) -> MailingOut:
    """Let no further mail begin until the mailing is resumed"""
    steering.pause(_mailing(mailing_id))
    return _shaped(mailing_id)


@bp.post("/mailings/<uuid:mailing_id>/resume")
@bp.output(MailingOut)
def resume(mailing_id: UUID) -> MailingOut:
    """Let a paused mailing go on, at its pace from now"""
    steering.resume(_mailing(mailing_id, acts=True))
    return _shaped(mailing_id)


@bp.post("/mailings/<uuid:mailing_id>/cancel")
@bp.output(MailingOut)
def cancel(mailing_id: UUID) -> MailingOut:
    """End a mailing: who has been mailed has been mailed, and nobody else is"""
    if mailing_id in watching.among([_job(mailing_id).id]):
        steering.cancel(_mailing(mailing_id), jobs.actor(me()))
    else:
        jobs.cancel(me(), mailing_id)
    return _shaped(mailing_id)


@bp.post("/mailings/<uuid:mailing_id>/again")
@bp.output(MailingOut)
def again(mailing_id: UUID) -> MailingOut:
    """Send again to those that were refused, or not reached before the mailing was cancelled"""
    steering.send_again(_mailing(mailing_id, acts=True), jobs.actor(me()))
    return _shaped(mailing_id)


@bp.post("/mailings/<uuid:mailing_id>/release")
@takes_body(Release)
@bp.output(MailingOut)
def release(mailing_id: UUID) -> MailingOut:
    """Let held mails go; their parts run again for them"""
    releasing.release(me(), _mailing(mailing_id, acts=True), reading.body(Release).effects)
    return _shaped(mailing_id)


@bp.get("/mailings/<uuid:mailing_id>/mails")
@takes_query(MailQuery)
@bp.output(MailPage)
def mails(mailing_id: UUID) -> MailPage:
    """List the mails of a mailing, by address"""
    query = reading.query(MailQuery)
    rows = watching.mails(_mailing(mailing_id), query.state or list(EffectState), query.limit + 1, query.cursor)
    shown = [
        MailOut(id=row.id, job_id=row.job_id, address=row.effect_key, state=row.state, code=row.code, reply=row.reply)
        for row in rows[: query.limit]
    ]
    return MailPage(mails=shown, next_cursor=shown[-1].address if len(rows) > query.limit else None)


@bp.get("/mailings/<uuid:mailing_id>/recipients.csv")
@bp.doc(responses={200: "The file with a verdict on each row."}, extensions={"x-answer": "text/csv"})
def recipients(mailing_id: UUID) -> Response:
    """Download the file with a verdict on each row"""
    column = _job(mailing_id).payload.get("address_column")
    lines = watching.verdicts(_mailing(mailing_id), column)
    first = next(lines)  # what is wrong with the file is an answer of its own, and no end in the middle of one
    response = Response(stream_with_context(chain([first], lines)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="recipients.csv")
    return response


def _job(mailing_id: UUID) -> Job:
    """The job that checks a mailing's file, which is there before the mailing."""
    try:
        job = jobs.find(me(), mailing_id)
    except NotFound:
        job = None
    if job is None or job.kind != KIND:
        raise NotFound("There is no such mailing.")
    return job


def _mailing(mailing_id: UUID, *, acts: bool = False) -> Mailing:
    """One that has begun, else Conflict. With `acts` mails may leave by what is done to it."""
    job = _job(mailing_id)
    if acts:
        check_sandbox(job.sandbox)
    try:
        return steering.find(job.owner_id, mailing_id)
    except NotFound:
        raise Conflict("The check of its file has not begun yet.") from None


def _shaped(mailing_id: UUID) -> MailingOut:
    job = _job(mailing_id)
    return _shape(job, watching.among([job.id]).get(job.id))


def _shape(job: Job, mailing: Mailing | None) -> MailingOut:
    found = watching.standing(mailing) if mailing else watching.unbegun(job)
    findings = (mailing.findings or None) if mailing else None
    doors = ("confirm", "pause", "resume", "cancel", "again", "release", "mails", "recipients")
    links = {door: url_for(f"api_mailings.{door}", mailing_id=job.id) for door in doors}
    links |= {"self": url_for("api_mailings.show", mailing_id=job.id), "page": f"/mailings/{job.id}"}
    return MailingOut(
        id=job.id, phase=found.phase, percent=found.percent, counts=MailCounts.model_validate(found),
        template=job.payload["template"], sender=mailing.sender if mailing else job.payload.get("sender"),
        recipients=job.payload["recipients"], file_name=mailing.file_name if mailing else None,
        rate=job.payload.get("rate"), sandbox=job.sandbox, findings=findings,
        problem=(findings or {}).get("problem") or job.error_public, created_at=job.created_at,
        confirmed_at=mailing.confirmed_at if mailing else None, paused_at=mailing.paused_at if mailing else None,
        cancelled_at=mailing.cancelled_at if mailing else None,
        links=links | {"job": url_for("api_jobs.show", job_id=job.id)},
    )  # fmt: skip
