"""Files for payloads that name one."""

from __future__ import annotations

from io import BytesIO

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
