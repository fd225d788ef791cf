"""The audit trail: who did what, on what, when, in which request. Never a secret, and as little else as will do.

An entry is written in the transaction of the act: neither is there without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from structlog.contextvars import get_contextvars
from uuid_utils.compat import uuid7

from webapi.extensions import db
from webapi.models import TrailEntry, User
from webapi.models.columns import after
from webapi.models.transaction import writing

COMMAND_LINE = "command line"
VISITOR = "visitor"
PERSON = "user "  # before an id: "user 0190…"
COUNTED_FOR = 3600.0  # seconds for which the same thing is counted and not listed again

# What may be noted, in the words in which people read it.
SENTENCES = {
    "account.created": "The account was made",
    "account.deleted": "The account was deleted",
    "account.renamed": "The name was changed",
    "address.asked": "Another address was asked for",
    "address.changed": "The address was changed",
    "address.forgotten": "An address was forgotten",
    "audit.asked": "An audit was asked for",
    "invitation.made": "Somebody was invited",
    "key.made": "An API key was made",
    "key.revoked": "An API key was revoked",
    "kind.paused": "A kind of job was paused",
    "kind.resumed": "A kind of job was resumed",
    "jobs.pruned": "What is older than it is kept was deleted",
    "job.resolved": "Somebody's job was settled",
    "ledger.released": "Held jobs were run again",
    "ledger.restored": "The ledger was restored from a copy, and what was due was held",
    "ledger.resumed": "Kinds went on that were paused after a restore",
    "ledger.settled": "Held jobs were counted as done",
    "password.changed": "The password was changed",
    "password.reset": "A new password was set by a mailed link",
    "role.changed": "The role was changed",
    "session.ended": "A session was ended",
    "sessions.ended": "All other sessions were ended",
    "sign_in.failed": "Somebody gave a wrong password",
}


@dataclass(frozen=True)
class Line:
    """An entry as it is read. `who` is the address of the person who did it, or what else it was."""

    id: UUID
    at: datetime
    who: str
    sentence: str
    what: str
    on_what: str | None
    detail: dict[str, Any]
    count: int
    request_id: str | None


def note(
    what: str, *, user_id: UUID | None = None, actor: str | None = None, on_what: object = None, **detail: Any
) -> None:
    """Add an entry, inside the transaction of the act where there is one. `what` is one of SENTENCES.

    `user_id` is whose account it is about: they see it too. Without an `actor` it was they themselves.
    """
    entry = TrailEntry(
        id=uuid7(), actor=actor or (by(user_id) if user_id else VISITOR), what=_known(what), user_id=user_id,
        on_what=None if on_what is None else str(on_what)[:200], detail=detail, count=1,
        request_id=get_contextvars().get("request"),
    )  # fmt: skip
    with writing() as session:
        session.add(entry)


def count(what: str, *, user_id: UUID | None = None) -> None:
    """Note something that may happen very often: one entry for each person and hour says how often it did.

    It takes as long for nobody (None) as for somebody.
    """
    recent = (TrailEntry.what == _known(what), TrailEntry.user_id.is_not_distinct_from(user_id))
    latest = select(TrailEntry.id).where(*recent, TrailEntry.at > after(-COUNTED_FOR)).order_by(TrailEntry.id.desc())
    with writing() as session:
        found = session.scalar(latest.limit(1))
        if found is None:
            note(what, user_id=user_id, actor=VISITOR)
        else:
            more = update(TrailEntry).where(TrailEntry.id == found).values(count=TrailEntry.count + 1)
            session.execute(more.execution_options(synchronize_session=False))


def by(user_id: UUID) -> str:
    """How the trail names a person."""
    return f"{PERSON}{user_id}"


def latest(limit: int, before: UUID | None = None) -> list[Line]:
    """The newest entries of all, for administrators. `before` is the id of the last one of the page before."""
    return _lines(select(TrailEntry), limit, before)


def of(user: User, limit: int = 20, before: UUID | None = None) -> list[Line]:
    """The newest entries about this person's account."""
    return _lines(select(TrailEntry).where(TrailEntry.user_id == user.id), limit, before)


def _lines(query: Select[TrailEntry], limit: int, before: UUID | None) -> list[Line]:
    if before is not None:
        query = query.where(TrailEntry.id < before)
    rows = db.session.scalars(query.order_by(TrailEntry.id.desc()).limit(limit)).all()
    names = _addresses(rows)
    return [
        Line(
            id=row.id, at=row.at, who=names.get(row.actor, row.actor), sentence=SENTENCES.get(row.what, row.what),
            what=row.what, on_what=row.on_what, detail=row.detail, count=row.count, request_id=row.request_id,
        )
        for row in rows
    ]  # fmt: skip


def _addresses(rows: Sequence[TrailEntry]) -> dict[str, str]:
    """Of those actors who still have an account."""
    ids = {UUID(row.actor.removeprefix(PERSON)) for row in rows if row.actor.startswith(PERSON)}
    people = select(User.id, User.email).where(User.id.in_(ids))
    return {by(user_id): email for user_id, email in db.session.execute(people)}


def _known(what: str) -> str:
    if what not in SENTENCES:
        raise ValueError(f"{what!r} is not among webapi.services.trail.SENTENCES: say there what it means")
    return what
