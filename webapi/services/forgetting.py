"""`flask forget`: what is erased of one address, and what is kept because a promise needs it.

Erased: the address, wherever the ledger names it, and the whole content of what was meant for it alone. Kept: that
something was sent, when and with what answer, for its sender has to account for it; and that the address is never to be
mailed, as a SHA-256, for a person who is forgotten would be mailed again. Files that people handed in or built are
named and left alone: nobody but their owner knows what is in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from webapi.errors import Conflict
from webapi.extensions import db
from webapi.models import FINAL, AttemptLog, Effect, Job, Sender, State, Ticket, TrailEntry
from webapi.models.transaction import writing
from webapi.services import accounts, own_account, trail
from webapi.services.addresses import normal
from webapi.services.mail import suppressions
from webapi.services.mailings import forgetting as mailings
from webapi.services.stand_ins import stand_in, without

LOOKED_AT = 1000  # rows in one look and one transaction
OVER = tuple(state for state in FINAL if state is not State.UNCERTAIN)
EMPTIED = {"forgotten": True}  # instead of a payload that was for nobody else


@dataclass
class Forgotten:
    """How much was erased. `open_jobs` still need the address, until they are over; `uploads` may hold it."""

    account: bool = False
    receipts: int = 0
    jobs: int = 0
    mailings: int = 0
    suppressions: int = 0
    others: int = 0
    open_jobs: list[UUID] = field(default_factory=list)
    uploads: list[UUID] = field(default_factory=list)


def forget(address: str, *, account: bool = False) -> Forgotten:
    """Erase an address. Run it again when the jobs that were open are over.

    With `account`, whoever is registered under it goes with all that is theirs. Raises Conflict when somebody is and it
    was not said, or while one of their jobs runs; ValueError for what is no address.
    """
    given = normal(address).lower()
    done = Forgotten()
    user = accounts.by_email(given)
    if user is not None:
        if not account:
            raise Conflict("Somebody is registered under this address. With --account all that is theirs goes, too.")
        own_account.delete_account(user)
        done.account = True
    instead = stand_in(given)
    done.open_jobs = _open_jobs(given)
    for ids in _windows(Job.id):
        with writing() as session:
            done.jobs += _rewrite_jobs(session, ids, given, instead)
    done.receipts = _rename_receipts(given, instead)
    done.mailings, open_ones, done.uploads = mailings.forget(given, instead)
    done.open_jobs = sorted({*done.open_jobs, *open_ones})
    done.suppressions = suppressions.hide(given)
    done.others = _forget_elsewhere(given, instead)
    with writing():
        left = len(done.open_jobs)
        trail.note("address.forgotten", actor=trail.COMMAND_LINE, jobs=done.jobs, receipts=done.receipts, left=left)
    return done


def _windows(ids: Any) -> Iterator[Sequence[UUID]]:
    reached = UUID(int=0)
    while True:
        db.session.rollback()
        found = db.session.scalars(select(ids).where(ids > reached).distinct().order_by(ids).limit(LOOKED_AT)).all()
        if not found:
            return
        yield found
        reached = found[-1]


def _open_jobs(address: str) -> list[UUID]:
    named = func.lower(Effect.effect_key) == address
    query = select(Job.id).join(Effect, Effect.job_id == Job.id).where(named, Job.state.not_in(OVER)).distinct()
    return list(db.session.scalars(query))


def _rewrite_jobs(session: Session, ids: Sequence[UUID], address: str, instead: str) -> int:
    """The payloads, results and sentences of jobs that are over and name it."""
    columns = (Job.payload, Job.result, Job.error_public, Job.progress_note, Job.tags)
    naming = [_names(column, address) for column in columns]
    meant_for = select(Effect.job_id).where(func.lower(Effect.effect_key) == address)
    found = select(Job.id, *columns).where(Job.id.in_(ids), Job.state.in_(OVER))
    done = 0
    for row in session.execute(found.where(or_(*naming, Job.id.in_(meant_for)))).all():
        kept = {name: value for name, value in row._mapping.items() if name != "id" and value is not None}
        values = {name: without(value, address, instead) for name, value in kept.items()}
        if _alone(session, row.id, address):
            values |= {"payload": EMPTIED, "result": None}
        if values != kept:
            change = update(Job).where(Job.id == row.id).values(values)
            session.execute(change.execution_options(synchronize_session=False))
            done += 1
    return done


def _alone(session: Session, job_id: UUID, address: str) -> bool:
    """Whether all that a job did was for this address."""
    keys = session.scalars(select(func.lower(Effect.effect_key)).where(Effect.job_id == job_id)).all()
    return set(keys) == {address}


def _rename_receipts(address: str, instead: str) -> int:
    """That something was sent stays; to whom, and what the other side said about it, does not."""
    mine = select(Effect.id, Effect.job_id).join(Job, Job.id == Effect.job_id).where(Job.state.in_(OVER))
    rows = db.session.execute(mine.where(func.lower(Effect.effect_key) == address).order_by(Effect.id)).all()
    first = {job_id: effect_id for effect_id, job_id in reversed(rows)}
    changes = [
        # A job may have named it twice, in other letters: each of its receipts has a name of its own.
        {
            "id": each,
            "effect_key": instead if first[job_id] == each else stand_in(address),
            "reply": None,
            "bounce": None,
        }
        for each, job_id in rows
    ]
    for start in range(0, len(changes), LOOKED_AT):
        with writing() as session:
            session.execute(update(Effect), changes[start : start + LOOKED_AT])
    return len(changes)


def _forget_elsewhere(address: str, instead: str) -> int:
    """Logs of attempts, links that were mailed, senders, and what the trail says of it."""
    done = 0
    for ids in _windows(AttemptLog.job_id):
        with writing() as session:
            naming = select(AttemptLog).where(AttemptLog.job_id.in_(ids), _names(AttemptLog.lines, address))
            for log in session.scalars(naming):
                lines = without(log.lines, address, instead)
                done += lines != log.lines
                log.lines = lines
    with writing() as session:
        for entry in session.scalars(
            select(TrailEntry).where(or_(_names(TrailEntry.detail, address), _names(TrailEntry.on_what, address)))
        ):
            before = entry.detail, entry.on_what
            entry.detail, entry.on_what = (without(each, address, instead) for each in before)
            done += (entry.detail, entry.on_what) != before
        mailed = or_(func.lower(Ticket.email) == address, func.lower(Ticket.email_before) == address)
        for statement in (delete(Ticket).where(mailed), delete(Sender).where(func.lower(Sender.address) == address)):
            gone = session.execute(statement.execution_options(synchronize_session=False))
            done += gone.rowcount  # type: ignore[attr-defined]
    return done


def _names(column: Any, address: str) -> Any:
    """Whether a column of text or JSON may name the address, however it is written; `without` has the last word."""
    return func.lower(cast(column, Text)).contains(json.dumps(address)[1:-1], autoescape=True)
