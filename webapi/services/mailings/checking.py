"""Checking a mailing's file: every row at once, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import IO, Any
from uuid import UUID

from sqlalchemy import select, update

from webapi.errors import Invalid, Permanent
from webapi.extensions import db
from webapi.models import Job, Mailing, State
from webapi.models.transaction import writing
from webapi.queue import new_file, progress
from webapi.queue.attempt import Attempt, Replaced
from webapi.queue.files import store
from webapi.services import links, storage
from webapi.services.mail import suppressions, templates
from webapi.services.mailings import asking, steering
from webapi.services.mailings.asking import Wanted
from webapi.services.mailings.findings import FaultFile, Findings
from webapi.services.mailings.rows import Checked, Reader
from webapi.services.tables.sheets import Sheet, open_sheet

MOST_ROWS = 1_000_000
BATCH = 500


def check(attempt: Attempt, wanted: Wanted) -> dict[str, Any]:
    """Look at every row, keep the good ones for sending, and begin to send if that was asked for.

    Returns the mailing's id and the counts. Raises Permanent when the file cannot be mailed and nobody was asked.
    """
    mailing = asking.begin(attempt, wanted)
    if mailing.state == "checking":
        findings, sha256 = _read(attempt, mailing, wanted)
        _keep(attempt, mailing.id, findings, sha256)
    db.session.refresh(mailing)
    found = mailing.findings
    result = {"mailing": str(mailing.id)} | {name: found[name] for name in ("rows", "good", "bad", "suppressed")}
    if wanted.confirm == "now" and mailing.state != "sending":
        if found["problem"] or (found["bad"] and not wanted.leave_out_bad):
            raise Permanent(found["problem"] or _refusal(mailing))
        steering.confirm(mailing, leave_out_bad=wanted.leave_out_bad)
    return result


def _refusal(mailing: Mailing) -> str:
    found = mailing.findings
    first = found["faults"][0]
    where = links.public(f"/mailings/{mailing.id}")
    return (
        f"{found['bad']} of {found['rows']} rows cannot be mailed, the first on line {first['line']}:"
        f" {first['fault']} Nothing was sent; all of them are at {where}."
    )


def _read(attempt: Attempt, mailing: Mailing, wanted: Wanted) -> tuple[Findings, str | None]:
    upload = storage.upload(attempt.owner_id, mailing.upload_id)
    letter = templates.wording(mailing.template_id, mailing.template_version).prepared(bulk=True)
    findings = Findings()
    kept = new_file("recipients.ndjson", "application/x-ndjson")
    faulty = new_file("bad-rows.csv", "text/csv")
    path = store().local(upload.sha256, kept.parent)
    try:
        with (
            open_sheet(path, upload.name) as sheet,
            kept.open("w", encoding="utf-8") as good,
            faulty.open("w", encoding="utf-8", newline="") as bad,
        ):
            findings.columns, findings.notes = list(sheet.columns), list(sheet.notes)
            reader = Reader(letter, sheet.columns, wanted.address_column)
            _sort(attempt.owner_id, sheet, reader, findings, good, FaultFile(bad))
    except Invalid as error:
        findings.problem = error.message
    if findings.good == 0:
        findings.problem = findings.problem or "No row of the file can be mailed."
    if findings.bad == 0:
        attempt.files.pop("bad-rows.csv")
    attempt.files.pop("recipients.ndjson")  # the mailing names it, and no page
    attempt.still_mine()
    sha256: str | None = store().keep(kept).sha256 if findings.good else None
    return findings, sha256


def _sort(owner_id: UUID, sheet: Sheet, reader: Reader, findings: Findings, good: IO[str], bad: FaultFile) -> None:
    for batch in _batches(sheet, reader, findings, bad):
        findings.suppressed += len(suppressions.among(owner_id, [each.address for each in batch]))
        for each in batch:
            good.write(json.dumps([each.line, each.address, each.values], ensure_ascii=False) + "\n")
        progress(min(99, findings.rows // 1000), f"{findings.rows:,} rows checked")


def _batches(sheet: Sheet, reader: Reader, findings: Findings, bad: FaultFile) -> Iterator[list[Checked]]:
    rows = iter(sheet.rows)
    while batch := list(islice(rows, BATCH)):
        if findings.rows + len(batch) > MOST_ROWS:
            raise Invalid(f"The file has more than {MOST_ROWS:,} rows. Split it.")
        checked = []
        for row in batch:
            read = reader.read(row)
            if isinstance(read, str):
                findings.add_bad(row, read)
                bad.add(row, read)
            else:
                findings.add_good(read)
                checked.append(read)
        yield checked


def _keep(attempt: Attempt, mailing_id: UUID, findings: Findings, sha256: str | None) -> None:
    """Write down what was found, unless another attempt owns this job by now."""
    state = "faulty" if findings.problem else "checked"
    with writing() as session:
        mine = select(Job.id).where(*attempt.fence, Job.state == State.RUNNING)
        if session.execute(mine.with_for_update()).first() is None:
            raise Replaced
        checked = {
            "state": state,
            "findings": asdict(findings),
            "recipients_sha256": sha256,
            "recipients": findings.good,
        }
        session.execute(update(Mailing).where(Mailing.id == mailing_id, Mailing.state == "checking").values(checked))
