"""Files that people hand in and that jobs produce."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import IO, Annotated, Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel, Field
from sqlalchemy import select
from uuid_utils.compat import uuid7

from webapi.errors import Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import Artifact, Upload
from webapi.models.transaction import in_transaction, writing
from webapi.queue.files import Stored

UPLOAD = {"format": "upload-id"}
# A field of a payload that names a file handed in before; forms draw it as a file input.
UploadId = Annotated[UUID, Field(json_schema_extra=UPLOAD)]
LONGEST_NAME, LONGEST_SUFFIX = 200, 10  # characters
NAME = re.compile(r"[^\w. ()+-]")
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def receive(owner_id: UUID, name: str, media_type: str, stream: IO[bytes]) -> Upload:
    """Keep a file. Its bytes are durable before the row that names them."""
    stored = put(stream)
    failpoint("S1a")
    upload = Upload(
        id=uuid7(),
        owner_id=owner_id,
        name=safe_name(name),
        sha256=stored.sha256,
        size=stored.size,
        media_type=media_type
        if MEDIA_TYPE.fullmatch(media_type) and len(media_type) <= 100
        else "application/octet-stream",
    )
    with writing() as session:
        session.add(upload)
    return upload


def put(stream: IO[bytes]) -> Stored:
    """Keep bytes that somebody sends, who may take an hour for it: no connection to the database waits for them."""
    if not in_transaction():
        db.session.commit()
    stored: Stored = current_app.extensions["files"].put(stream)
    return stored


def safe_name(name: str) -> str:
    """A name to show and to offer for saving: the last part of the given one, of harmless characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    name = NAME.sub("_", last).strip(". ")
    suffix = Path(name).suffix if len(Path(name).suffix) <= LONGEST_SUFFIX else ""
    return name.removesuffix(suffix)[: LONGEST_NAME - len(suffix)] + suffix or "file"


def upload(owner_id: UUID, upload_id: UUID) -> tuple[Upload, Path]:
    """A file handed in, and where its bytes lie. Raises NotFound for one that is not this owner's."""
    row = db.session.scalar(select(Upload).where(Upload.id == upload_id, Upload.owner_id == owner_id))
    if row is None:
        raise NotFound("There is no such upload.")
    return row, current_app.extensions["files"].path(row.sha256)


def artifact(job_id: UUID, name: str) -> tuple[Artifact, Path]:
    """A file that a job produced, and where its bytes lie. Raises NotFound."""
    row = db.session.scalar(select(Artifact).where(Artifact.job_id == job_id, Artifact.name == name))
    if row is None:
        raise NotFound("The job has no such file.")
    return row, current_app.extensions["files"].path(row.sha256)


def check_uploads(owner_id: UUID, payload: BaseModel) -> None:
    """Raises Invalid when a payload names an upload that is not this owner's."""
    for name in upload_fields(type(payload)):
        value: Any = getattr(payload, name)
        if value is None:
            continue
        try:
            upload(owner_id, value)
        except NotFound as error:
            raise Invalid(faults=(Fault(f"/{name}", error.message),)) from None


@cache
def upload_fields(model: type[BaseModel]) -> list[str]:
    """The names of the fields of a payload that hold an upload."""
    properties = model.model_json_schema().get("properties", {})
    return [
        name
        for name, schema in properties.items()
        if schema.get("format") == UPLOAD["format"]
        or any(choice.get("format") == UPLOAD["format"] for choice in schema.get("anyOf", []))
    ]
