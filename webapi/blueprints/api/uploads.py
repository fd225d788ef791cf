"""Files for payloads that name one."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.api.openapi import refuse_query, takes_query
from webapi.blueprints.api.shapes import UploadOut
from webapi.blueprints.identity import me, require_anyone
from webapi.errors import Malformed
from webapi.services import storage

bp = APIBlueprint("api_uploads", __name__, tag="Uploads")
bp.before_request(require_anyone)
bp.before_request(refuse_query)


class UploadQuery(BaseModel):
    """How the file is called."""

    name: str = Field(min_length=1, max_length=200)


@bp.delete("/uploads/<uuid:upload_id>")
@bp.output({}, status_code=204)
def discard(upload_id: UUID) -> tuple[str, int]:
    """Delete an upload; a job that names it and has not begun will fail"""
    storage.discard_upload(me(), upload_id)
    return "", 204


@bp.delete("/jobs/<uuid:job_id>/artifacts/<name>")
@bp.output({}, status_code=204)
def discard_artifact(job_id: UUID, name: str) -> tuple[str, int]:
    """Delete a file that a job produced, to make room"""
    storage.discard_artifact(me(), job_id, name)
    return "", 204


@bp.post("/uploads")
@takes_query(UploadQuery)
@bp.output(UploadOut, status_code=201)
@bp.doc(extensions={"x-body": "The bytes of the file, as they are.", "x-required": False})
def create() -> tuple[UploadOut, int]:
    """Hand in a file: the body is its bytes, `name` its name"""
    query = reading.query(UploadQuery)
    if request.mimetype == "multipart/form-data":
        raise Malformed("Send the bytes of the file as the body, without a form around them.")
    kept = storage.receive(me().id, query.name, request.mimetype, request.stream or BytesIO())
    return UploadOut.model_validate(kept), 201
