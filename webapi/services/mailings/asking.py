"""Asking for a mailing: what is wrong before anybody has looked into the file."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from webapi.errors import Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import FINAL, Job, Mailing, Upload
from webapi.models.transaction import writing
from webapi.queue.attempt import Attempt
from webapi.services import links, storage
from webapi.services.mail import senders, templates


@dataclass(frozen=True)
class Wanted:
    """A mailing as somebody asks for it. `rate` is in mails a minute.

    With `confirm` `now` it begins as soon as its file is checked and found good, or `leave_out_bad` says that
    the bad rows may be left out. `again` allows a file that was mailed with this template before.
    """

    template: str
    recipients: UUID
    sender: str | None = None
    address_column: str | None = None
    rate: int | None = None
    confirm: str = "ask"
    leave_out_bad: bool = False
    again: bool = False


def check(owner_id: UUID, wanted: Wanted) -> str:
    """Raises Invalid for an unknown template or sender, and for a file that was mailed with it before.

    Returns the template with its version fixed.
    """
    template, version = templates.named(owner_id, wanted.template)
    templates.wording(template.id, version).prepared(bulk=True)
    senders.envelope(owner_id, wanted.sender)
    upload = _upload(owner_id, wanted.recipients)
    first = None if wanted.again else earlier(owner_id, template.id, upload.sha256)
    if first is not None:
        raise already(first)
    return f"{template.name}@{version}"


def begin(attempt: Attempt, wanted: Wanted) -> Mailing:
    """The mailing of this job, made by its first attempt."""
    template, version = templates.named(attempt.owner_id, wanted.template, accepted=True)
    upload = _upload(attempt.owner_id, wanted.recipients)
    row = {
        "id": attempt.job_id,
        "owner_id": attempt.owner_id,
        "template_id": template.id,
        "template_version": version,
        "sender": senders.envelope(attempt.owner_id, wanted.sender).address,
        "upload_id": wanted.recipients,
        "file_name": upload.name,
        "file_sha256": upload.sha256,
        "rate": wanted.rate,
        "again": wanted.again or attempt.sandbox,  # one that is only played stands in no other's way
    }
    with writing() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(Mailing).values(row).on_conflict_do_nothing(index_elements=["id"]))
    return db.session.get_one(Mailing, attempt.job_id)


def already(first: Mailing) -> Invalid:
    """The refusal of a file that was mailed before, with the address of the mailing."""
    where = links.public(f"/mailings/{first.id}")
    when = f"{first.created_at:%Y-%m-%d %H:%M}"
    sentence = f"This file went out with this template on {when} UTC: {where}. To send it once more, say again."
    return Invalid(faults=(Fault("/recipients", sentence),), first=where)


def earlier(owner_id: UUID, template_id: UUID, sha256: str) -> Mailing | None:
    """A mailing of the same file and template that was sent, or waits to be.

    One that was thrown away is none, nor is one whose check came to nothing, or one that was only played.
    """
    checking = and_(Mailing.state == "checking", Job.state.not_in(FINAL))
    waits = and_(or_(checking, Mailing.state == "checked"), Mailing.cancelled_at.is_(None))
    query = (
        select(Mailing)
        .join(Job, Job.id == Mailing.id)
        .where(
            ~Job.sandbox,
            Mailing.owner_id == owner_id,
            Mailing.template_id == template_id,
            Mailing.file_sha256 == sha256,
            or_(waits, Mailing.state == "sending"),
        )
    )
    first: Mailing | None = db.session.scalars(query.order_by(Mailing.id)).first()
    return first


def _upload(owner_id: UUID, upload_id: UUID) -> Upload:
    try:
        return storage.upload(owner_id, upload_id)
    except NotFound as error:
        raise Invalid(faults=(Fault("/recipients", error.message),)) from None
