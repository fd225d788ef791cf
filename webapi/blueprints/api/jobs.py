"""Jobs for programs: submit, list, show, cancel."""

from __future__ import annotations

import hashlib
from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.answers import download
from webapi.blueprints.api import preferences
from webapi.blueprints.api.log_shapes import AttemptLogList, AttemptLogOut
from webapi.blueprints.api.openapi import refuse_query, takes_body, takes_query
from webapi.blueprints.api.shapes import EffectList, EventList, JobOut, JobPage, Release, Resolution, Why
from webapi.blueprints.api.shaping import shape_accepted, shape_effects, shape_events, shape_jobs, told
from webapi.blueprints.identity import asker, check_sandbox, me, require_anyone, sandbox
from webapi.blueprints.moments import Moment
from webapi.models import Job, State
from webapi.queue import explain
from webapi.services import job_lists, job_pages, job_queries, jobs
from webapi.services.job_queries.fields import FIELDS
from webapi.services.jobs import Accepted

bp = APIBlueprint("api_jobs", __name__, tag="Jobs")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

LONGEST_DELAY = 366 * 86400  # seconds
QUERY = (
    "Terms `name:value`, all of which hold; a comma is or, a minus before a term not, quotation marks keep spaces."
    f" Names: {', '.join(FIELDS)}. A word by itself is looked for in kind, tags, error and progress note."
)
Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.:/+-]+$")]


class SubmitQuery(BaseModel):
    """When and how a job is to run."""

    delay: float | None = Field(None, ge=0, le=LONGEST_DELAY, description="Seconds to wait before it begins.")
    run_at: Moment | None = Field(None, description="When to begin; RFC 3339.")
    deadline: Moment | None = Field(None, description="A job that has not begun by then expires.")
    priority: int = Field(0, ge=0, le=9, description="0 goes first.")
    tag: list[Tag] = Field([], max_length=10)
    callback_url: str | None = Field(
        None, min_length=1, max_length=2000, description="Where to tell, by an http.call, that the job is over."
    )


class FilterQuery(BaseModel):
    """Which jobs are meant."""

    q: str = Field("", description=QUERY, examples=["kind:email.send state:failed older:1h"])
    kind: list[Annotated[str, Field(max_length=100)]] = []
    state: list[State] = []
    tag: list[Tag] = []
    created_after: Moment | None = None
    created_before: Moment | None = None

    def wanted(self) -> job_lists.Wanted:
        terms = job_queries.read(self.q)
        return job_lists.Wanted(self.kind, self.state, self.tag, self.created_after, self.created_before, terms)


class ListQuery(FilterQuery):
    """Which jobs to list."""

    cursor: str | None = Field(
        None, description="From the previous page's next_cursor.", json_schema_extra={"pattern": job_lists.CURSOR}
    )
    limit: int = Field(50, ge=1, le=200)


@bp.post("/jobs/<kind:kind>")
@takes_query(SubmitQuery)
@bp.output(JobOut, status_code=202, description="The job is on disk and will reach a final state.")
@bp.doc(responses={200: "With Prefer: wait, the job is over."})
def submit(kind: str) -> Response:
    """Submit a job; the body is the kind's payload and nothing else"""
    accepted, headers = accept(kind)
    job, status, applied = preferences.waited(accepted.job)
    # Nothing has happened yet to a job that was accepted just now: what is known of it is all there is.
    shaped = shape_jobs([job])[0] if accepted.replayed or applied else shape_accepted(accepted)
    return told(shaped, status, {"Location": shaped.links.self, **headers, **applied, **_again(job)})


def accept(kind: str) -> tuple[Accepted, dict[str, str]]:
    """The job of this request, and headers about it. The request's body is the kind's payload."""
    declared, when = jobs.public_kind(kind), reading.query(SubmitQuery)
    payload = reading.body(declared.payload)
    accepted = jobs.accept(
        asker(), declared, payload, once=reading.once(kind, when, payload), sandbox=sandbox(),
        delay=when.delay, run_at=when.run_at, deadline_at=when.deadline, priority=when.priority, tags=when.tag,
        callback_url=when.callback_url,
    )  # fmt: skip
    return accepted, {"Idempotency-Replayed": "true"} if accepted.replayed else {}


@bp.get("/jobs")
@takes_query(ListQuery)
@bp.output(JobPage)
def index() -> JobPage:
    """List your jobs, newest first; a page of a text search may hold few jobs, or none, and yet have a next"""
    query = reading.query(ListQuery)
    page = job_lists.page(me(), query.wanted(), cursor=query.cursor, limit=query.limit)
    return JobPage(jobs=shape_jobs(page.jobs), next_cursor=page.next_cursor)


@bp.get("/jobs/<uuid:job_id>")
@bp.output(JobOut)
@bp.doc(responses={304: "It is as the ETag in If-None-Match says."})
def show(job_id: UUID) -> tuple[JobOut, int, dict[str, str]]:
    """Show a job"""
    shaped, status, headers = _shaped(jobs.find(asker(), job_id))
    tag = hashlib.sha256(shaped.model_dump_json().encode()).hexdigest()[:32]
    return shaped, status, {"ETag": f'"{tag}"', **headers}


@bp.get("/jobs/<uuid:job_id>/events")
@bp.output(EventList)
def events(job_id: UUID) -> EventList:
    """Show a job's history"""
    return shape_events(jobs.events(jobs.find(asker(), job_id)))


@bp.get("/jobs/<uuid:job_id>/effects")
@bp.output(EffectList)
def effects(job_id: UUID) -> EffectList:
    """Show a job's effects, with the receipt of each"""
    return shape_effects(jobs.effects(jobs.find(asker(), job_id)))


@bp.get("/jobs/<uuid:job_id>/why")
@bp.output(Why)
def why(job_id: UUID) -> Why:
    """Say why a job is not running just now"""
    return Why.model_validate(explain.why(jobs.find(asker(), job_id)))


@bp.get("/jobs/<uuid:job_id>/logs")
@bp.output(AttemptLogList)
def logs(job_id: UUID) -> AttemptLogList:
    """Show what each attempt of a job logged, without secrets"""
    rows = job_pages.logs_of(jobs.find(asker(), job_id).id)
    return AttemptLogList(attempts=[AttemptLogOut.model_validate(row) for row in rows])


@bp.get("/jobs/<uuid:job_id>/artifacts/<name>")
@bp.doc(
    responses={200: "The bytes of the file.", 302: "The same, from another address."}, extensions={"x-answer": "*/*"}
)
def artifact(job_id: UUID, name: str) -> Response:
    """Download a file that a job produced; ranges are supported"""
    return download(jobs.find(asker(), job_id), name)


@bp.post("/jobs/<uuid:job_id>/cancel")
@bp.output(JobOut)
def cancel(job_id: UUID) -> tuple[JobOut, int, dict[str, str]]:
    """Cancel a waiting job, or ask a running one to stop before its next effect"""
    return _shaped(jobs.cancel(asker(), job_id))


@bp.post("/jobs/<uuid:job_id>/replay")
@bp.output(JobOut, status_code=202)
def replay(job_id: UUID) -> tuple[JobOut, int, dict[str, str]]:
    """Run a job that is over again; effects that are done are not repeated"""
    check_sandbox(jobs.find(asker(), job_id).sandbox)
    return _shaped(jobs.replay(asker(), job_id), 202)


@bp.post("/jobs/<uuid:job_id>/resolve")
@takes_body(Resolution)
@bp.output(JobOut)
def resolve(job_id: UUID) -> tuple[JobOut, int, dict[str, str]]:
    """Settle unknown effects of an uncertain job: delivered, or resend"""
    check_sandbox(jobs.find(asker(), job_id).sandbox)
    return _shaped(jobs.resolve(asker(), job_id, reading.body(Resolution).effects))


@bp.post("/jobs/<uuid:job_id>/release")
@takes_body(Release)
@bp.output(JobOut, status_code=202)
def release(job_id: UUID) -> tuple[JobOut, int, dict[str, str]]:
    """Let held effects of a job that is over go; it runs again for them"""
    check_sandbox(jobs.find(asker(), job_id).sandbox)
    return _shaped(jobs.release(asker(), job_id, list(reading.body(Release).effects)), 202)


def _shaped(job: Job, status: int = 200) -> tuple[JobOut, int, dict[str, str]]:
    return shape_jobs([job])[0], status, _again(job)


def _again(job: Job) -> dict[str, str]:
    """When a poller should ask again; nothing once the job is over."""
    return {} if State(job.state).final else {"Retry-After": "1"}
