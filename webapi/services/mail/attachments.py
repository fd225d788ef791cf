"""What goes with a mail: uploads and the files of other jobs; too large, they become links that end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from webapi.errors import Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Artifact, Job, Upload
from webapi.queue.files import store
from webapi.services import links, storage
from webapi.services.mail.message import Attachment
from webapi.services.remembering import remembered

MOST = 10  # files of one mail
LINK_DAYS = 14
PURPOSE = "file v1"
# What mail programs and servers refuse, because a click runs it.
RUNNABLE = re.compile(
    r"\.(ade|adp|apk|appx|bat|cab|chm|cmd|com|cpl|dll|dmg|exe|hta|img|ins|iso|isp|jar|jse?|lib|lnk|mde|msc|msi|msix|msp"
    r"|mst|nsh|pif|ps1|reg|scr|sct|sh|shb|sys|vb|vbe|vbs|vhd|vxd|wsc|wsf|wsh|xll)",
    re.IGNORECASE,
)
ENDING = re.compile(r"\.[^.]*\Z")


@dataclass(frozen=True)
class File:
    """A file in the store, under the name that its recipient sees."""

    name: str
    media_type: str
    size: int
    sha256: str
    token: tuple[str, str]


def of(owner_id: UUID, uploads: Sequence[UUID], artifacts: Sequence[str]) -> list[File]:
    """The files that a payload names. Raises Invalid for one that is not the owner's, or must not be mailed."""
    if len(uploads) + len(artifacts) > MOST:
        raise Invalid(faults=(Fault("/attachments", f"A mail takes at most {MOST} files."),))
    files = [_upload(owner_id, position, each) for position, each in enumerate(uploads)]
    files += [_artifact(owner_id, position, each) for position, each in enumerate(artifacts)]
    return files


def split(files: Sequence[File]) -> tuple[list[Attachment], list[File]]:
    """What goes with the mail, and what is linked instead because it all would be too large."""
    if sum(file.size for file in files) > current_app.config["MAIL_ATTACHMENTS"]:
        return [], list(files)
    return [Attachment(file.name, file.media_type, store().read(file.sha256)) for file in files], []


def link(file: File) -> str:
    """An address at which anybody who has it gets the file, for `LINK_DAYS` days."""
    return links.public(f"/files/{links.sign(PURPOSE, file.token)}")


def linked(token: str) -> File:
    """The file of such an address. Raises NotFound for a forged or old one, and when the file is gone."""
    table, row_id = links.read(PURPOSE, token, LINK_DAYS * 86400)
    key = UUID(row_id)
    row: Upload | Artifact | None = db.session.get(Upload, key) if table == "upload" else db.session.get(Artifact, key)
    if row is None:
        raise NotFound("This file is not there any more.")
    return _file(row, table)


def _upload(owner_id: UUID, position: int, upload_id: UUID) -> File:
    try:
        row = storage.upload(owner_id, upload_id)
    except NotFound as error:
        raise Invalid(faults=(Fault(f"/attachments/{position}", error.message),)) from None
    return _harmless(_file(row, "upload"), f"/attachments/{position}")


@remembered
def _artifact(owner_id: UUID, position: int, reference: str) -> File:
    """`<job id>/<name>` of a job of the same owner."""
    job_id, _, name = reference.partition("/")
    query = select(Artifact).join(Job, Job.id == Artifact.job_id).where(Artifact.name == name, Job.owner_id == owner_id)
    try:
        row = db.session.scalar(query.where(Artifact.job_id == UUID(job_id)))
    except ValueError:
        row = None
    if row is None:
        sentence = f"{reference!r} is no file of a job of yours: write <job id>/<file name>."
        raise Invalid(faults=(Fault(f"/artifacts/{position}", sentence),))
    return _harmless(_file(row, "artifact"), f"/artifacts/{position}")


def _file(row: Upload | Artifact, table: str) -> File:
    return File(row.name, row.media_type, row.size, row.sha256, (table, str(row.id)))


def _harmless(file: File, pointer: str) -> File:
    suffix = ENDING.search(file.name.rstrip(". "))  # Windows leaves dots and blanks at the end out
    if suffix and RUNNABLE.fullmatch(suffix[0]):
        raise Invalid(
            faults=(Fault(pointer, f"{file.name}: mail servers refuse {suffix[0]} files. Send a link instead."),)
        )
    return file
