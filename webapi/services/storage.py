"""Files that people hand in and that jobs produce."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Fault, InsufficientScope, Invalid, NotFound
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import Artifact, Job, ReportBuild, Scope, Upload, User
from webapi.models.transaction import writing
from webapi.queue import room
from webapi.services.remembering import remembered

UPLOAD = {"format": "upload-id"}
# A field of a payload that names a file handed in before; forms draw it as a file input.
UploadId = Annotated[UUID, Field(json_schema_extra=UPLOAD)]
LONGEST_NAME, LONGEST_SUFFIX = 200, 10  # characters
NAME = re.compile(r"[^\w. ()+-]")
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
LOOKED_AT = 1000


@dataclass(frozen=True)
class Kept:
    """A file that takes room: an upload, or what a job produced."""

    name: str
    size: int
    created_at: datetime
    upload_id: UUID | None = None
    job_id: UUID | None = None


def receive(owner_id: UUID, name: str, media_type: str, stream: IO[bytes]) -> Upload:
    """Keep a file. Its bytes are durable before the row that names them. Raises StorageFull."""
    stored = room.put(owner_id, stream)
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
        room.charge(session, owner_id, stored.size)
        session.add(upload)
    return upload


def safe_name(name: str) -> str:
    """A name to show and to offer for saving: the last part of the given one, of harmless characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    name = NAME.sub("_", last).strip(". ")
    suffix = Path(name).suffix if len(Path(name).suffix) <= LONGEST_SUFFIX else ""
    return name.removesuffix(suffix)[: LONGEST_NAME - len(suffix)] + suffix or "file"


@remembered
def upload(owner_id: UUID, upload_id: UUID) -> Upload:
    """A file handed in. Raises NotFound for one that is not this owner's."""
    row: Upload | None = db.session.scalar(select(Upload).where(Upload.id == upload_id, Upload.owner_id == owner_id))
    if row is None:
        raise NotFound("There is no such upload.")
    return row


def artifact(job_id: UUID, name: str) -> Artifact:
    """A file that a job produced. Raises NotFound."""
    row: Artifact | None = db.session.scalar(select(Artifact).where(Artifact.job_id == job_id, Artifact.name == name))
    if row is None:
        raise NotFound("The job has no such file.")
    return row


def discard_upload(owner: User, upload_id: UUID) -> None:
    """Forget a file that was handed in. A job that names it and has not begun will fail.

    Raises NotFound, Conflict for the file of a mailing, whose rows it can be asked for again, and InsufficientScope
    for a key that is bound to a kind: jobs of other kinds may need the file.
    """
    if owner.only_kind is not None:
        raise InsufficientScope(f"This key is for jobs of the kind {owner.only_kind} alone.", Scope.MANAGE)
    mine = (Upload.id == upload_id, Upload.owner_id == owner.id)
    try:
        with writing() as session:
            _forget(session, owner.id, delete(Upload).where(*mine).returning(Upload.size), "There is no such upload.")
    except IntegrityError:
        raise Conflict("A mailing went out to the rows of this file, so it stays as long as the mailing.") from None


def discard_artifact(owner: User, job_id: UUID, name: str) -> None:
    """Forget a file that a job produced; a report that is asked for again is built again.

    Raises NotFound, also for a job that the key that asks is not for.
    """
    of_job = exists().where(Job.id == job_id, Job.owner_id == owner.id)
    of_job = of_job if owner.only_kind is None else of_job.where(Job.kind == owner.only_kind)
    with writing() as session:
        gone = delete(Artifact).where(Artifact.job_id == job_id, Artifact.name == name, of_job)
        _forget(session, owner.id, gone.returning(Artifact.size), "The job has no such file.")
        session.execute(delete(ReportBuild).where(ReportBuild.job_id == job_id))


def _forget(session: Session, owner_id: UUID, gone: ReturningDelete[int], sentence: str) -> None:
    """The bytes go with the next round of housekeeping, unless another row names them."""
    room.lock(session, owner_id)
    sizes = session.scalars(gone.execution_options(synchronize_session=False)).all()
    if not sizes:
        raise NotFound(sentence)
    room.charge(session, owner_id, -sum(sizes))


def largest(owner_id: UUID, limit: int = 50) -> list[Kept]:
    """The largest of the uploads and files of jobs that are the owner's, among their newest `LOOKED_AT` of each."""
    mine = select(Upload).where(Upload.owner_id == owner_id).order_by(Upload.id.desc()).limit(LOOKED_AT)
    found = [Kept(row.name, row.size, row.created_at, upload_id=row.id) for row in db.session.scalars(mine)]
    produced = select(Artifact).join(Job, Job.id == Artifact.job_id).where(Job.owner_id == owner_id)
    rows = db.session.scalars(produced.order_by(Job.id.desc()).limit(LOOKED_AT))
    found += [Kept(row.name, row.size, row.created_at, job_id=row.job_id) for row in rows]
    return sorted(found, key=lambda each: -each.size)[:limit]


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
