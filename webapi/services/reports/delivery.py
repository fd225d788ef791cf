"""A finished report goes to people: one mail each, with its receipt; too large for a mail, as a link that expires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import current_app

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Job, User
from webapi.services.mail import attachments, letters, mailer
from webapi.services.mail.mailer import Errand
from webapi.services.mail.mails import with_links
from webapi.services.mail.message import Envelope


def mail(job_id: UUID, to: Sequence[str], *, attach: bool) -> dict[str, Any]:
    """Mail the report of a finished job. A truncated one says so in its subject. Raises NotFound when it is gone."""
    job = db.session.get(Job, job_id)
    if job is None or not isinstance(job.result, dict):
        raise NotFound("The job of this report is not there any more.")
    manifest, owner = job.result, db.session.get_one(User, job.owner_id)
    files = attachments.of(job.owner_id, [], [f"{job_id}/{manifest['file']}"])
    attached, linked = attachments.split(files) if attach else ([], files)
    letter = with_links(letters.built_in("report"), linked)
    envelope = Envelope(current_app.config["MAIL_DEFAULT_SENDER"], reply_to=owner.email)
    values = _values(manifest, owner)
    return mailer.deliver(Errand(letter, dict.fromkeys(to, values), envelope, attached))


def _values(manifest: dict[str, Any], owner: User) -> dict[str, str]:
    totals = ", ".join(f"{name} {total}" for name, total in manifest["totals"].items())
    return {
        "brand": current_app.config["MAIL_BRAND"],
        "flag": "" if manifest["complete"] else "INCOMPLETE: ",
        "title": manifest["title"],
        "sender": owner.name,
        "parameters": ", ".join(f"{name} {value}" for name, value in manifest["parameters"].items()) or "none",
        "as_of": manifest["as_of"],
        "rows": f"{manifest['rows']:,}",
        "completeness": manifest["truncated"] or "complete",
        "totals": totals or "none",
        "sha256": manifest["sha256"],
    }
