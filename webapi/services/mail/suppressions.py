"""Suppressions: addresses that an owner's mails do not go to, and the other rules that hold a mail back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, Suppression
from webapi.models.columns import after
from webapi.models.transaction import writing

Reason = Literal["manual", "bounce", "unsubscribe"]
DAY = 86400.0  # seconds
SENTENCES = {
    "manual": "This address is on your list of those never to be mailed",
    "bounce": "An earlier mail to this address came back",
    "unsubscribe": "Whoever reads this address asked for no more mails",
}


def add(owner_id: UUID, address: str, reason: Reason, detail: str = "") -> bool:
    """Suppress an address. One that is suppressed already stays as it is, which is False."""
    with writing() as session:
        if session.get(Suppression, (owner_id, _names(address)[1])) is not None:
            return False
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        row = {"owner_id": owner_id, "address": address.lower(), "reason": reason, "detail": detail[:500]}
        added = insert(Suppression).values(row).on_conflict_do_nothing().returning(Suppression.address)
        return session.execute(added).first() is not None


def find(owner_id: UUID, address: str) -> Suppression:
    """Raises NotFound for an address that is not suppressed."""
    row: Suppression | None = db.session.scalar(
        select(Suppression).where(Suppression.owner_id == owner_id, Suppression.address.in_(_names(address)))
    )
    if row is None:
        raise NotFound("This address is not suppressed.")
    return row


def remove(owner_id: UUID, address: str) -> None:
    """Raises NotFound for an address that is not suppressed."""
    named = (Suppression.owner_id == owner_id, Suppression.address.in_(_names(address)))
    with writing() as session:
        if session.execute(delete(Suppression).where(*named)).rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound("This address is not suppressed.")


def page(owner_id: UUID, after_address: str = "", search: str = "", limit: int = 100) -> Sequence[Suppression]:
    """The owner's suppressions by address, those that hold `search`, beginning after `after_address`."""
    query = select(Suppression).where(Suppression.owner_id == owner_id, Suppression.address > after_address)
    if search:
        query = query.where(Suppression.address.contains(search.lower(), autoescape=True))
    return db.session.scalars(query.order_by(Suppression.address).limit(limit)).all()


def among(owner_id: UUID, addresses: Sequence[str]) -> dict[str, str]:
    """Those of the addresses that are suppressed, each with a sentence that says why."""
    names = {address: _names(address) for address in addresses}
    every = {name for each in names.values() for name in each}
    query = select(Suppression).where(Suppression.owner_id == owner_id, Suppression.address.in_(every))
    why = {
        row.address: f"{SENTENCES[row.reason]}, since {row.created_at:%Y-%m-%d}." for row in db.session.scalars(query)
    }
    return {address: why[name] for address, each in names.items() for name in each if name in why}


def hide(address: str) -> int:
    """Keep that an address is never to be mailed, and no longer the address. Returns on how many lists it was.

    The SHA-256 needs no key: it has to be found as long as the list lives, whatever becomes of SECRET_KEY. Whoever
    holds the list can test a guess, and cannot read it.
    """
    plain, hidden = _names(address)
    with writing() as session:
        owners = session.scalars(select(Suppression.owner_id).where(Suppression.address == hidden)).all()
        twice = delete(Suppression).where(Suppression.address == plain, Suppression.owner_id.in_(owners))
        session.execute(twice.execution_options(synchronize_session=False))
        mine = update(Suppression).where(Suppression.address == plain).values(address=hidden, detail="")
        return int(session.execute(mine.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _names(address: str) -> tuple[str, str]:
    """How an address stands on a list: as it is, or as one that was forgotten."""
    lower = address.lower()
    return lower, f"sha256:{hashlib.sha256(lower.encode()).hexdigest()}"


def holding(owner_id: UUID, addresses: Sequence[str]) -> dict[str, str]:
    """Those of the addresses to which no mail may go now, each with a sentence that says why."""
    return _had_enough(owner_id, addresses) | among(owner_id, addresses)


def to_some_of(addresses: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    """For a query of effects: mails to one of these addresses, by the index of recipients."""
    return Effect.kind == "mail", func.lower(Effect.effect_key).in_({address.lower() for address in addresses})


def _had_enough(owner_id: UUID, addresses: Sequence[str]) -> dict[str, str]:
    most: int = current_app.config["MAIL_PER_RECIPIENT"]
    recipient = func.lower(Effect.effect_key)
    had = (
        select(recipient)
        .join(Job, Job.id == Effect.job_id)
        .where(
            *to_some_of(addresses),
            Effect.state == EffectState.DONE,
            Effect.settled_at > after(-DAY),
            # Not by the index of owners, which would lead through every mail that this one ever sent.
            func.coalesce(Job.owner_id, Job.owner_id) == owner_id,
            Job.sandbox.is_(False),
        )
        .group_by(recipient)
        .having(func.count() >= most)
    )
    sentence = f"You have sent {most} mails to this address within 24 hours, which is the limit."
    enough = set(db.session.scalars(had))
    return {address: sentence for address in addresses if address.lower() in enough}
