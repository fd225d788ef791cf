"""A finished report goes to people: one mail each, with its receipt; too large for a mail, as a link that expires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import FINAL, Job, User
from webapi.queue import Snooze
from webapi.queue.files import store
from webapi.services import storage
from webapi.services.mail import attachments, letters, mailer
from webapi.services.mail.letters import Letter
from webapi.services.mail.mailer import Errand
from webapi.services.mail.mails import with_links
from webapi.services.mail.message import Attachment, Envelope
from webapi.services.reports.building import CHART

LATER = 15.0  # seconds; a build takes some


def mail(job_id: UUID, to: Sequence[str], *, attach: bool) -> dict[str, Any]:
    """Mail the report of a finished job. A truncated one says so in its subject. Raises what `finished` raises."""
    job, manifest = finished(job_id)
    owner = db.session.get_one(User, job.owner_id)
    files = attachments.of(job.owner_id, [], [f"{job_id}/{manifest['file']}"])
    attached, linked = attachments.split(files) if attach else ([], files)
    letter, pictures = _with_chart(with_links(letters.built_in("report"), linked), job_id)
    envelope = Envelope(current_app.config["MAIL_DEFAULT_SENDER"], reply_to=owner.email)
    values = _values(manifest, owner)
    return mailer.deliver(Errand(letter, dict.fromkeys(to, values), envelope, [*attached, *pictures]))


def finished(job_id: UUID) -> tuple[Job, dict[str, Any]]:
    """The job of a report and its manifest. Raises NotFound when it is gone, and Snooze while it is built again."""
    job = db.session.get(Job, job_id, populate_existing=True)
    if job is not None and job.state not in FINAL:
        raise Snooze(LATER, "The report is being built again.")
    if job is None or not isinstance(job.result, dict):
        raise NotFound("The job of this report is not there any more.")
    return job, job.result


def _with_chart(letter: Letter, job_id: UUID) -> tuple[Letter, list[Attachment]]:
    """The letter with the report's chart in it, if it has one."""
    try:
        row = storage.artifact(job_id, CHART)
    except NotFound:
        return letter, []
    shown = f'{letter.html}<p><img src="cid:{CHART}" alt="" width="536" class="chart"></p>'
    return replace(letter, html=shown), [Attachment(CHART, "image/png", store().read(row.sha256), CHART)]


def _values(manifest: dict[str, Any], owner: User) -> dict[str, str]:
    totals = ", ".join(f"{name} {total}" for name, total in manifest["totals"].items())
    return {
        "brand": current_app.config["MAIL_BRAND"],
        "flag": "" if manifest["complete"] else "INCOMPLETE: ",
        "title": manifest["title"],
        "sender": owner.name,
        "parameters": ", ".join(f"{name} {value}" for name, value in manifest["parameters"].items()) or "none",
        "as_of": f"{datetime.fromisoformat(manifest['as_of']):%Y-%m-%d %H:%M} UTC",
        "rows": f"{manifest['rows']:,}",
        "completeness": manifest["truncated"] or "complete",
        "totals": totals or "none",
        "sha256": manifest["sha256"],
    }
