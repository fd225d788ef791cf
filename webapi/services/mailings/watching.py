"""How a mailing stands: counts by what became of each mail, and the file with a verdict on each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from webapi.extensions import db
from webapi.models import FINAL, Effect, EffectState, Job, Mailing, State
from webapi.queue.files import store
from webapi.services import addresses, storage
from webapi.services.formats.cells import inert
from webapi.services.mail import suppressions
from webapi.services.mail.placeholders import as_name
from webapi.services.mailings.rows import ADDRESS_COLUMNS
from webapi.services.tables.sheets import Row, open_sheet

ADDED = ("webapi_state", "webapi_code", "webapi_reply", "webapi_at")
BATCH = 500


@dataclass(frozen=True)
class Standing:
    """`phase` is one of checking, faulty, checked, sending, paused, cancelled and done. Counts are of mails."""

    phase: str
    delivered: int
    refused: int
    uncertain: int
    held: int
    bounced: int
    waiting: int
    total: int

    @property
    def over(self) -> bool:
        return self.phase in {"faulty", "cancelled", "done"}

    @property
    def percent(self) -> int:
        return 100 * (self.total - self.waiting) // self.total if self.total else 0


def standing(mailing: Mailing) -> Standing:
    """Where a mailing is. Its mails are counted in SQL."""
    rows = db.session.execute(
        _effects(mailing.id, Effect.state, func.count(), func.count(Effect.bounced_at)).group_by(Effect.state)
    ).all()
    counts = {EffectState(state): count for state, count, _ in rows}
    settled = [EffectState.DONE, EffectState.REFUSED, EffectState.UNKNOWN, EffectState.HELD]
    return Standing(
        phase=_phase(mailing),
        delivered=counts.get(EffectState.DONE, 0),
        refused=counts.get(EffectState.REFUSED, 0),
        uncertain=counts.get(EffectState.UNKNOWN, 0),
        held=counts.get(EffectState.HELD, 0),
        bounced=sum(bounced for _, _, bounced in rows),
        waiting=mailing.recipients - sum(counts.get(state, 0) for state in settled),
        total=mailing.recipients,
    )


def unbegun(job: Job) -> Standing:
    """Where a mailing is of which there is only the job that is to check its file."""
    return Standing(_early(job.state), 0, 0, 0, 0, 0, 0, 0)


def among(job_ids: Sequence[UUID]) -> dict[UUID, Mailing]:
    """The mailings of several jobs, in one query. A job that has not begun has none yet."""
    return {row.id: row for row in db.session.scalars(select(Mailing).where(Mailing.id.in_(job_ids)))}


def mails(mailing: Mailing, states: Sequence[EffectState], limit: int = 100, after: str = "") -> Sequence[Any]:
    """Some mails of a mailing in these states: id, job_id, effect_key, state, code, reply and `over`.

    They come by address, beginning after the address `after`. What is uncertain or held can be settled once its part
    is over.
    """
    over = Job.state.in_(FINAL).label("over")
    wanted = _effects(
        mailing.id, Effect.id, Effect.job_id, Effect.effect_key, Effect.state, Effect.code, Effect.reply, over
    ).where(Effect.state.in_(states), Effect.effect_key > after)
    return db.session.execute(wanted.order_by(Effect.effect_key).limit(limit)).all()


def verdicts(mailing: Mailing, address_column: str | None) -> Iterator[str]:
    """The file as it was handed in, as CSV, with four columns more. It is read and written row by row."""
    upload = storage.upload(mailing.owner_id, mailing.upload_id)
    with store().scratch() as folder, open_sheet(store().local(upload.sha256, folder), upload.name) as sheet:
        names = {as_name(column): column for column in sheet.columns}
        wanted = (as_name(address_column),) if address_column else ADDRESS_COLUMNS
        column = next((names[name] for name in wanted if name in names), sheet.columns[0])
        yield _line([*sheet.columns, *ADDED])
        rows = iter(sheet.rows)
        while batch := list(islice(rows, BATCH)):
            known = _known(mailing.id, [_address(row.values.get(column, "")) for row in batch])
            for row in batch:
                yield _line([*(row.values.get(name, "") for name in sheet.columns), *_verdict(row, column, known)])


def _verdict(row: Row, column: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if row.fault:
        return ("bad", "", row.fault, "")
    return known.get(_address(row.values.get(column, "")), ("not sent", "", "", ""))


def _known(mailing_id: UUID, keys: list[str]) -> dict[str, tuple[str, ...]]:
    shown = Effect.effect_key, Effect.state, Effect.code, Effect.reply, Effect.settled_at, Effect.bounce
    query = select(*shown).join(Job, Job.id == Effect.job_id).where(*suppressions.to_some_of(keys))
    # Not by the index of parents: at each batch it would lead through all the mails of the mailing.
    query = query.where(func.coalesce(Job.parent_id, Job.parent_id) == mailing_id, Effect.effect_key.in_(keys))
    found: dict[str, tuple[str, ...]] = {}
    for key, state, code, reply, at, bounce in db.session.execute(query):
        verdict = "bounced" if bounce else {"done": "delivered", "unknown": "uncertain"}.get(state, state)
        found[key] = (verdict, str(code or ""), bounce or reply or "", at.isoformat() if at else "")
    db.session.rollback()
    return found


def _address(given: str) -> str:
    try:
        return addresses.normal(given)
    except ValueError:
        return ""


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([inert(cell) for cell in cells])
    return text.getvalue()


def _phase(mailing: Mailing) -> str:
    if mailing.cancelled_at is not None:
        return "cancelled"
    if mailing.state == "checking":
        return _early(db.session.scalar(select(Job.state).where(Job.id == mailing.id)))
    if mailing.state != "sending":
        return mailing.state
    if mailing.paused_at is not None:
        return "paused"
    unfinished = select(Job.id).where(Job.parent_id == mailing.id, Job.state.not_in(FINAL))
    # Rows that are in no part while nobody makes parts any more wait for somebody who says again.
    return "sending" if db.session.scalar(unfinished.limit(1)) is not None else "done"


def _early(state: State | None) -> str:
    """The phase before the file is checked: whose check ended without a word on the file will never be sent."""
    if state not in FINAL:
        return "checking"
    return "cancelled" if state == State.CANCELLED else "faulty"


def _effects(mailing_id: UUID, *columns: Any) -> Select[Any]:
    return select(*columns).join(Job, Job.id == Effect.job_id).where(Job.parent_id == mailing_id)
