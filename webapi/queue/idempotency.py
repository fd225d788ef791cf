"""One job for one key: a client that had no answer asks again, and gets the job that it has already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapi.errors import Invalid
from webapi.models import IdempotencyKey
from webapi.models.columns import after, now

KEPT = 7 * 86400.0  # seconds


class KeyReused(Invalid):
    """This idempotency key was used for another request. Use a new key for a new request."""

    code = "idempotency_key_reused"


@dataclass(frozen=True)
class Once:
    """What makes two requests one: the same key from the same owner at the same route.

    `fingerprint` is of everything that the request asks for; the same key with another one is refused. What was kept
    while another SECRET_KEY came first may be one of `earlier`.
    """

    route: str
    key: str
    fingerprint: str
    earlier: tuple[str, ...] = ()


def fingerprint(*parts: Any) -> str:
    """The SHA-256 of the parts as canonical JSON."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def take(session: Session, once: Once, owner_id: UUID, job_id: UUID) -> UUID | None:
    """Give the key to `job_id`, or return the job that has it. Raises KeyReused.

    Two requests at the same moment: the second waits here for the first to commit or roll back.
    """
    session.execute(delete(IdempotencyKey).where(*_of(once, owner_id), IdempotencyKey.expires_at < now()))
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    inserted = session.execute(
        insert(IdempotencyKey)
        .values(
            owner_id=owner_id,
            route=once.route,
            key=once.key,
            fingerprint=once.fingerprint,
            job_id=job_id,
            expires_at=after(KEPT),
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.job_id)
    ).first()
    return None if inserted is not None else known(session, once, owner_id)


def take_free(session: Session, wanted: Mapping[UUID, tuple[Once, UUID]]) -> set[UUID]:
    """Give each job of `wanted`, which has a key and its owner, that key if nobody ever had it. Returns who got theirs.

    The keys are taken in one order, so that two transactions that want the same ones do not wait for each other.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [
        {"owner_id": owner_id, "route": once.route, "key": once.key, "fingerprint": once.fingerprint, "job_id": job_id}
        for job_id, (once, owner_id) in wanted.items()
    ]
    rows.sort(key=lambda row: (row["owner_id"], row["route"], row["key"]))
    statement = insert(IdempotencyKey).values(expires_at=after(KEPT)).on_conflict_do_nothing()
    return set(session.scalars(statement.returning(IdempotencyKey.job_id), rows))


def give_back(session: Session, job_ids: Sequence[UUID]) -> None:
    """The keys that these jobs have just been given are free again."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.job_id.in_(job_ids)))


def known(session: Session, once: Once, owner_id: UUID) -> UUID | None:
    """The job that has the key, if one has. Raises KeyReused."""
    query = select(IdempotencyKey.job_id, IdempotencyKey.fingerprint)
    row = session.execute(query.where(*_of(once, owner_id))).first()
    if row is not None and row.fingerprint not in {once.fingerprint, *once.earlier}:
        raise KeyReused
    return row.job_id if row is not None else None


def _of(once: Once, owner_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKey.owner_id == owner_id,
        IdempotencyKey.route == once.route,
        IdempotencyKey.key == once.key,
    )
