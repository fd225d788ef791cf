"""What people do to a mailing: confirm it, pause it, let it go on, cancel it, send again to those that failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapi.errors import Conflict, NotFound
from webapi.extensions import db
from webapi.models import FINAL, Effect, EffectState, Job, Mailing, State, User
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import control, submit
from webapi.queue.ledger import move
from webapi.services import jobs
from webapi.services.mailings import asking, room

BATCH = 100  # jobs changed in one transaction
PART = 200  # mails of one part, at most
BURST = 10.0  # seconds of its rate that a part may hold


class MailingRef(BaseModel):
    """Which mailing a job of ours is about."""

    mailing_id: UUID


def find(owner_id: UUID, mailing_id: UUID) -> Mailing:
    """The owner's mailing. Raises NotFound, also for one that is somebody else's."""
    query = select(Mailing).where(Mailing.id == mailing_id, Mailing.owner_id == owner_id)
    row: Mailing | None = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such mailing.")
    return row


def of(owner_id: UUID, limit: int = 100) -> Sequence[Mailing]:
    """The owner's mailings, newest first."""
    query = select(Mailing).where(Mailing.owner_id == owner_id).order_by(Mailing.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def confirm(mailing: Mailing, *, leave_out_bad: bool = False) -> None:
    """Begin to send. Raises Conflict when it is not checked, has bad rows that may not be left out, or went out."""
    found = mailing.findings
    if mailing.cancelled_at is not None or mailing.state != "checked":
        raise Conflict("Only a mailing that is checked and waits can be confirmed.")
    if found["bad"] and not leave_out_bad:
        raise Conflict(f"{found['bad']} of {found['rows']} rows cannot be mailed. Mend the file, or leave them out.")
    owner_id, template_id, sha256 = mailing.owner_id, mailing.template_id, mailing.file_sha256
    try:
        with writing() as session:
            begun = session.execute(
                update(Mailing)
                .where(Mailing.id == mailing.id, Mailing.state == "checked", Mailing.cancelled_at.is_(None))
                .values(state="sending", confirmed_at=now())
                .execution_options(synchronize_session=False)
            )
            if begun.rowcount:  # type: ignore[attr-defined] # of two that confirm at once, one begins it
                room.take(session, mailing, found["rows"] - found["bad"])
                spread(mailing)
    except IntegrityError:
        first = asking.earlier(owner_id, template_id, sha256)
        raise (asking.already(first) if first else Conflict("This file went out meanwhile.")) from None


def spread(mailing: Mailing) -> None:
    """Submit the job that makes parts of the rows. It goes on where an earlier one ended."""
    sandbox = db.session.scalar(select(Job.sandbox).where(Job.id == mailing.id))
    reference = MailingRef(mailing_id=mailing.id)
    submit("email.spread", reference, owner_id=mailing.owner_id, parent_id=mailing.id, sandbox=sandbox)


def pause(mailing: Mailing) -> None:
    """No further mail begins; a part that runs stops before its next wave. Raises Conflict before it is sent."""
    _set(mailing, Mailing.paused_at.is_(None), paused_at=now())


def resume(mailing: Mailing) -> None:
    """Go on, at the mailing's pace from now."""
    _set(mailing, Mailing.paused_at.is_not(None), paused_at=None)
    waiting = db.session.scalars(_parts(mailing, Job.state == State.SCHEDULED).order_by(Job.run_at, Job.id)).all()
    _spread_over_time(mailing, waiting)


def cancel(mailing: Mailing, actor: str) -> int:
    """End all parts that have not ended; what is under way ends before its next wave. Returns how many."""
    with writing() as session:
        session.execute(update(Mailing).where(Mailing.id == mailing.id).values(cancelled_at=now()))
    children = db.session.scalars(select(Job.id).where(Job.parent_id == mailing.id, Job.state.not_in(FINAL))).all()
    own = db.session.scalars(select(Job.id).where(Job.id == mailing.id, Job.state.not_in(FINAL))).all()
    return _each([*own, *children], control.cancel, actor)


def send_again(mailing: Mailing, actor: str) -> int:
    """Send to those that were refused, or not reached before the mailing was cancelled. Returns how many parts."""
    with writing() as session:
        session.execute(update(Mailing).where(Mailing.id == mailing.id).values(cancelled_at=None, paused_at=None))
        if mailing.state == "sending" and mailing.spread < mailing.recipients and not _is_spreading(mailing):
            spread(mailing)
    undone = [EffectState.REFUSED, EffectState.PENDING]
    left = exists().where(Effect.job_id == Job.id, Effect.state.in_(undone))
    unbegun = ~exists().where(Effect.job_id == Job.id)
    over = Job.state.in_([State.FAILED, State.UNCERTAIN, State.CANCELLED, State.EXPIRED])
    parts = db.session.scalars(_parts(mailing, over, left | unbegun).order_by(Job.id)).all()
    again = _each(parts, control.replay, actor)
    if mailing.rate:
        _spread_over_time(mailing, parts)
    return again


def settle(owner: User, mailing: Mailing, effect_id: UUID, answer: Literal["release", "resend", "delivered"]) -> None:
    """Let one held mail go, or say what became of an uncertain one.

    Raises NotFound, and Conflict or Invalid while its part is not over, the mail is in another state, or it would
    leave and the mailing is cancelled.
    """
    if answer != "delivered":
        check_not_cancelled(mailing)
    query = select(Effect.job_id).join(Job, Job.id == Effect.job_id)
    part = db.session.scalar(query.where(Effect.id == effect_id, Job.parent_id == mailing.id))
    if part is None:
        raise NotFound("There is no such mail in this mailing.")
    if answer == "release":
        jobs.release(owner, part, [effect_id])
    else:
        jobs.resolve(owner, part, {effect_id: answer})


def check_not_cancelled(mailing: Mailing) -> None:
    """Raises Conflict when no mail of it may leave: a part that runs again mails all its rows that have not had it."""
    if mailing.cancelled_at is not None:
        raise Conflict("This mailing is cancelled. First send again to those that were not reached.")


def part_size(rate: int | None) -> int:
    """How many mails one part holds, so that it is a burst of `BURST` seconds at most."""
    return PART if rate is None else max(1, min(PART, math.ceil(rate * BURST / 60)))


def pace(rate: int | None) -> float:
    """Seconds between two parts; 0 without a rate."""
    return 0.0 if rate is None else 60.0 * part_size(rate) / rate


def _set(mailing: Mailing, condition: ColumnElement[bool], **values: object) -> None:
    if mailing.state != "sending" or mailing.cancelled_at is not None:
        raise Conflict("This mailing is not being sent.")
    with writing() as session:
        session.execute(update(Mailing).where(Mailing.id == mailing.id, condition).values(**values))


def _spread_over_time(mailing: Mailing, parts: Sequence[UUID]) -> None:
    """Let parts that wait begin one after the other, at the mailing's pace from now."""
    for start in range(0, len(parts), BATCH):
        with writing() as session:
            for position, job_id in enumerate(parts[start : start + BATCH], start):
                wait = position * pace(mailing.rate)
                if wait:
                    move(
                        session, State.QUEUED, State.SCHEDULED, Job.id == job_id,
                        actor="pace", reason="waits for its turn", run_at=after(wait),
                    )  # fmt: skip
                due = update(Job).where(Job.id == job_id, Job.state == State.SCHEDULED)
                session.execute(due.values(run_at=after(wait)).execution_options(synchronize_session=False))


def _parts(mailing: Mailing, *conditions: ColumnElement[bool]) -> Select[UUID]:
    return select(Job.id).where(Job.parent_id == mailing.id, Job.kind == "email.part", *conditions)


def _is_spreading(mailing: Mailing) -> bool:
    spreads = select(Job.id).where(Job.parent_id == mailing.id, Job.kind == "email.spread", Job.state.not_in(FINAL))
    return db.session.scalar(spreads.limit(1)) is not None


def _each(job_ids: Sequence[UUID], act: Callable[[Session, UUID, str], None], actor: str) -> int:
    done = 0
    for start in range(0, len(job_ids), BATCH):
        batch = job_ids[start : start + BATCH]
        with writing() as session:
            # All of them before their owner's count, which whoever ends one of them takes after it: no deadlock.
            session.execute(select(Job.id).where(Job.id.in_(batch)).order_by(Job.id).with_for_update())
            for job_id in batch:
                try:
                    with session.begin_nested():
                        act(session, job_id, actor)
                    done += 1
                except Conflict:
                    continue  # it moved on by itself
    return done
