"""API keys: shown once, kept as a hash. Whose they are is for `holders` to say."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from webapi.errors import Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import ApiKey, Scope, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.models.user import TEST_KEY
from webapi.queue import kind_named
from webapi.services import holders, trail


def create(
    owner: User,
    name: str,
    test: bool = False,
    *,
    scopes: Collection[Scope] = tuple(Scope),
    kind: str | None = None,
    expires_at: datetime | None = None,
    actor: str | None = None,
) -> str:
    """A new key for `owner`, as `wapi_live_<id>_<secret>`. This is the only time it can be seen.

    The jobs of a `test` key, `wapi_test_…`, run in the sandbox: all of them is done, and nothing leaves. With a
    `kind` it sees and submits the jobs of that kind alone. Raises Invalid for no scope, a kind that is none of the
    public ones and a moment that is over.
    """
    _check(scopes, kind, expires_at)
    prefix = f"{TEST_KEY if test else holders.LIVE_KEY}{secrets.token_hex(6)}"
    secret = secrets.token_hex(32)
    granted = " ".join(scope for scope in Scope if scope in scopes)
    with writing() as session:
        session.add(
            ApiKey(
                id=uuid7(), owner_id=owner.id, name=name, prefix=prefix, last_four=secret[-4:],
                secret_hash=holders.hashed(secret), scopes=granted, kind=kind, expires_at=expires_at,
            )
        )  # fmt: skip
        trail.note("key.made", user_id=owner.id, actor=actor, on_what=prefix, scopes=granted)
    return f"{prefix}_{secret}"


def _check(scopes: Collection[Scope], kind: str | None, expires_at: datetime | None) -> None:
    if not scopes:
        raise Invalid(faults=(Fault("/scopes", "Choose at least one."),))
    if kind is not None and not (kind in current_app.extensions["kinds"] and kind_named(kind).public):
        raise Invalid(faults=(Fault("/kind", f"There is no kind of job called {kind!r}."),))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Invalid(faults=(Fault("/expires_at", "This moment is over."),))


def of(owner: User) -> list[ApiKey]:
    """This person's keys that were not revoked, newest first; one whose time is over is among them."""
    query = select(ApiKey).where(ApiKey.owner_id == owner.id, ApiKey.revoked_at.is_(None)).order_by(ApiKey.id.desc())
    return list(db.session.scalars(query))


def has_expired(key: ApiKey) -> bool:
    """By this machine's clock, for show; whether a key opens anything is for the database's."""
    return key.expires_at is not None and key.expires_at <= datetime.now(UTC)


def revoke(owner: User, key_id: UUID) -> None:
    """End a key: here at once, in other processes within a second. Raises NotFound for one that is not theirs."""
    with writing() as session:
        revoked = session.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id, ApiKey.owner_id == owner.id, ApiKey.revoked_at.is_(None))
            .values(revoked_at=now())
        )
        if revoked.rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound("There is no such key.")
        prefix = session.scalar(select(ApiKey.prefix).where(ApiKey.id == key_id))
        trail.note("key.revoked", user_id=owner.id, on_what=prefix)
        holders.forget()
