"""Sending a mailing: its checked rows become parts, each a job with a receipt for every mail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedReader
from typing import Any
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.extensions import db
from webapi.models import Job, Mailing, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import Snooze, kind_named, progress
from webapi.queue.attempt import Cancelled
from webapi.queue.files import store
from webapi.queue.submit import insert_job
from webapi.services.mail import mailer, senders, templates
from webapi.services.mail.mailer import Errand
from webapi.services.mailings.steering import pace, part_size

TOGETHER = 20  # parts that are accepted in one transaction
TURN = 60.0  # seconds after which a part lets others work; far from its time limit
MORE = "the rest goes on in a turn of its own"
REST = 3600.0  # seconds after which a part of a paused mailing looks again

# Made once: it is asked before each wave of mails.
HELD = select(Mailing.cancelled_at, Mailing.paused_at).where(Mailing.id == bindparam("a_mailing"))


class Part(BaseModel):
    """Some rows of a mailing, by where they begin in its file of checked rows."""

    mailing_id: UUID
    offset: int
    rows: int


@dataclass(frozen=True)
class Lot:
    """Parts that are accepted together: the rows after the first `begin`, up to the byte `end` of the file."""

    begin: int
    end: int
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


def spread(mailing_id: UUID) -> dict[str, int]:
    """Make parts of all rows that are in none yet. A second run, after a crash, goes on where the first ended.

    Raises Snooze after a while: a slow pace makes so many parts that they are longer in the making than a job may be.
    """
    began = time.monotonic()
    mailing = db.session.get_one(Mailing, mailing_id)
    total, reached = mailing.recipients, mailing.spread
    for lot in lots(mailing):
        if not accept(mailing_id, lot):
            break
        reached = lot.begin + lot.rows
        progress(100 * reached / total, f"{reached:,} of {total:,} handed out")
        if time.monotonic() - began > TURN and reached < total:
            raise Snooze(0, MORE)
    return {"recipients": reached}


def send(part: Part) -> dict[str, Any]:
    """Mail the rows of a part that have not had it. Raises Snooze while the mailing is paused, Cancelled once it is."""
    mailing = db.session.get_one(Mailing, part.mailing_id)
    began = time.monotonic()
    rows = dict(_rows(mailing, part.offset, part.rows))
    errand = Errand(
        letter=templates.wording(mailing.template_id, mailing.template_version).letter(bulk=True),
        to=rows,
        envelope=senders.envelope(mailing.owner_id, mailing.sender, bulk=True),
        connections=current_app.config["MAIL_CONNECTIONS"],
        between=lambda: _rest_if_needed(part.mailing_id, began),
    )
    return mailer.deliver(errand)


def lots(mailing: Mailing) -> Iterator[Lot]:
    """The rows that are in no part yet, in lots."""
    begin, size = mailing.spread, part_size(mailing.rate)
    mailing_id, total = mailing.id, mailing.recipients
    with _open(mailing) as file:
        file.seek(mailing.spread_offset)
        while begin < total:
            parts: list[Part] = []
            left = total - begin
            while left > 0 and len(parts) < TOGETHER:
                part = Part(mailing_id=mailing_id, offset=file.tell(), rows=min(size, left))
                for _ in range(part.rows):
                    file.readline()
                parts.append(part)
                left -= part.rows
            lot = Lot(begin, file.tell(), tuple(parts))
            yield lot
            begin += lot.rows


def accept(mailing_id: UUID, lot: Lot) -> bool:
    """Parts and how far they reach, in one transaction. False when the mailing was cancelled, or another was first.

    What is compared is what the lot was made from, and not what the row says by now: two that make parts of the
    same rows would mail them twice.
    """
    with writing() as session:
        moved = session.execute(
            update(Mailing)
            .where(Mailing.id == mailing_id, Mailing.spread == lot.begin, Mailing.cancelled_at.is_(None))
            .values(spread=lot.begin + lot.rows, spread_offset=lot.end)
            .execution_options(synchronize_session=False)
        )
        if moved.rowcount == 0:  # type: ignore[attr-defined]
            return False
        mailing = session.get_one(Mailing, mailing_id, populate_existing=True)
        sandbox = session.scalar(select(Job.sandbox).where(Job.id == mailing_id))
        first = _turn_of(session, mailing) if mailing.rate else None
        for position, part in enumerate(lot.parts):
            due = first + timedelta(seconds=position * pace(mailing.rate)) if first else None
            insert_job(
                session, kind_named("email.part"), part, id=uuid7(), owner_id=mailing.owner_id,
                parent_id=mailing_id, run_at=due, sandbox=sandbox,
            )  # fmt: skip
    return True


def _turn_of(session: Session, mailing: Mailing) -> datetime:
    """When the next part is due at the mailing's pace: one step after the last that waits, or now."""
    clock: datetime = session.execute(select(now())).scalar_one()
    waiting = (Job.parent_id == mailing.id, Job.kind == "email.part", Job.state == State.SCHEDULED)
    last = session.scalar(select(func.max(Job.run_at)).where(*waiting, Job.run_at < after(REST)))
    step = timedelta(seconds=pace(mailing.rate))
    return clock if last is None else max(clock, last + step)


def _rows(mailing: Mailing, offset: int, count: int) -> Iterator[tuple[str, dict[str, str]]]:
    with _open(mailing) as file:
        file.seek(offset)
        for _ in range(count):
            _, address, values = json.loads(file.readline())
            yield address, values


def _open(mailing: Mailing) -> BufferedReader:
    assert mailing.recipients_sha256 is not None, "a file that was checked has rows"
    return store().open(mailing.recipients_sha256)


def _rest_if_needed(mailing_id: UUID, began: float) -> None:
    cancelled, paused = db.session.connection().execute(HELD, {"a_mailing": mailing_id}).one()
    db.session.rollback()  # a read that stays open would never see a pause
    if cancelled is not None:  # whoever cancelled it may have died before this part's turn came
        raise Cancelled
    if paused is not None:
        raise Snooze(REST, "the mailing is paused")
    if time.monotonic() - began > TURN:
        raise Snooze(0, MORE)
