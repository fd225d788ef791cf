"""An address in the checked rows of mailings: its row is emptied where it stands, so that no other row moves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from uuid import UUID

from sqlalchemy import select

from webapi.extensions import db
from webapi.models import FINAL, Job, Mailing, State
from webapi.models.transaction import writing
from webapi.queue.files import store
from webapi.services.stand_ins import without


def forget(address: str, instead: str) -> tuple[int, list[UUID], list[UUID]]:
    """Empty the rows of an address. Returns how many mailings changed, the jobs of those that are not over and are
    left as they are, and the uploads from which the mailings came, which hold it still.
    """
    changed, left, uploads = 0, [], []
    for mailing_id, upload_id, sha256 in _with_rows():
        try:
            rows = store().read(sha256)
        except FileNotFoundError:
            continue
        if not _may_hold(rows, address) or (emptied := b"".join(_emptied(rows, address, instead))) == rows:
            continue
        uploads.append(upload_id)
        if not _is_over(mailing_id):
            left.append(mailing_id)
            continue
        stored = store().put(BytesIO(emptied))
        with writing() as session:
            row = session.get_one(Mailing, mailing_id, populate_existing=True, with_for_update=True)
            row.recipients_sha256 = stored.sha256
            row.sender, row.findings = (without(each, address, instead) for each in (row.sender, row.findings))
        changed += 1
    return changed, left, uploads


def _with_rows() -> list[tuple[UUID, UUID, str]]:
    rows = db.session.execute(select(Mailing.id, Mailing.upload_id, Mailing.recipients_sha256))
    return [(mailing_id, upload_id, sha256) for mailing_id, upload_id, sha256 in rows if sha256 is not None]


def _may_hold(rows: bytes, address: str) -> bool:
    """Whether a search finds it. That is far cheaper than to read every row, and most files do not hold an address."""
    spelled = json.dumps(address, ensure_ascii=False)[1:-1]
    return re.search(re.escape(spelled), rows.decode(), re.IGNORECASE) is not None


def _is_over(mailing_id: UUID) -> bool:
    """Whether no part of it will read its rows again by itself, and no person has to settle one."""
    family = (Job.id == mailing_id) | (Job.parent_id == mailing_id)
    waits = (Job.state.not_in(FINAL)) | (Job.state == State.UNCERTAIN)
    unsent = select(Mailing.id).where(Mailing.id == mailing_id, Mailing.state == "checked")
    return db.session.scalar(select(Job.id).where(family, waits).limit(1)) is None and not db.session.scalar(unsent)


def _emptied(rows: bytes, address: str, instead: str) -> Iterator[bytes]:
    """The lines of a file of checked rows; the one of the address has the same length and neither it nor its values."""
    for line in BytesIO(rows):
        row = number, to, _ = json.loads(line)
        if without(row, address, instead) == row:
            yield line
            continue
        empty = json.dumps([number, instead if to.lower() == address else to, {}], ensure_ascii=False).encode()
        yield empty.ljust(len(line) - 1) + b"\n"
