"""The shortest form, for people who come from a tutorial: `POST /process`, then `GET /status/<task_id>`."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, JsonValue

from webapi.blueprints import reading
from webapi.blueprints.identity import asker, require_anyone, sandbox
from webapi.errors import NotFound
from webapi.services import jobs

bp = APIBlueprint("tutorial", __name__, enable_openapi=False)
bp.before_request(require_anyone)


class Work(BaseModel):
    """`{"data": …}` with any JSON, or a form's field `data`."""

    data: JsonValue


@bp.post("/process")
def process() -> ResponseReturnValue:
    owner, kind = asker(), jobs.public_kind("data.process")
    work = reading.values(Work, {"data": request.form.get("data")}) if request.form else reading.body(Work)
    payload = reading.values(kind.payload, {"data": work.data})
    job = jobs.submit(owner, kind, payload, once=reading.once("process", work), sandbox=sandbox())
    return jsonify(task_id=job.id, status=job.state), 202


@bp.get("/status/<task_id>")
def status(task_id: str) -> ResponseReturnValue:
    """An id that nobody knows is 404; it is never mistaken for a job that waits."""
    job = jobs.find(asker(), _id(task_id))
    return jsonify(task_id=job.id, status=job.state, progress=job.progress, result=job.result, error=job.error_public)


def _id(task_id: str) -> UUID:
    try:
        return UUID(task_id)
    except ValueError:
        raise NotFound("There is no such task.") from None
