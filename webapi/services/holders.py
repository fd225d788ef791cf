"""Who holds an API key, without a query for each request.

A process remembers for a second what the ledger said of a key: whose it is and what it may do, never the key itself.
So a key that is revoked or over, a role that changed and a person who was deleted act within a second in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy import bindparam, or_, select, update

from webapi.extensions import db
from webapi.models import ApiKey, Role, Scope, User
from webapi.models.columns import now
from webapi.models.transaction import after_commit, writing
from webapi.models.user import TEST_KEY

LIVE_KEY = "wapi_live_"
SHAPE = re.compile(rf"({LIVE_KEY}|{TEST_KEY})[0-9a-f]{{12}}_[0-9a-f]{{64}}")
KNOWN = 1.0  # seconds for which what the ledger said of a key is believed
RENEWED = 0.5  # seconds after which one request asks again, while the others go on: else all would ask at once
MOST = 10_000  # keys that a process remembers
USE_RESOLUTION = 60.0  # seconds; "last used" is not worth a write for each request

_LOOK = (
    select(
        ApiKey.secret_hash, ApiKey.last_used_at, ApiKey.scopes, ApiKey.kind,
        User.id, User.email, User.role, User.verified_at, User.time_zone,
    )
    .join(User, User.id == ApiKey.owner_id)
    .where(ApiKey.prefix == bindparam("prefix"), ApiKey.revoked_at.is_(None))
    .where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks by a key: the person, as far as most doors need to know them, and what the key may do."""

    id: UUID
    email: str
    role: str
    verified_at: datetime | None
    time_zone: str
    scopes: frozenset[str]
    only_kind: str | None
    is_test: bool

    is_authenticated = True  # as Flask-Login asks

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMINISTRATOR

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes


Asker = User | Holder  # a person by their session, or by a key of theirs


@dataclass(slots=True)
class Known:
    """What the ledger said of a key when it was asked, at `at`. `used_at` is the last use that was noted."""

    at: float
    secret_hash: str
    used_at: datetime | None
    holder: Holder
    asking: bool = False


class Holders:
    """What one process knows of keys, by their public part. `clock` is in seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._known: dict[str, Known] = {}

    def get(self, prefix: str) -> Known | None:
        """What is known; None for whoever has to ask the ledger."""
        known = self._known.get(prefix)
        age = self.clock() - known.at if known else KNOWN
        if known is None or age >= KNOWN:
            return None
        if age >= RENEWED and not known.asking:
            known.asking = True
            return None
        return known

    def put(self, prefix: str, known: Known) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[prefix] = known

    def drop(self, prefix: str) -> None:
        """It is no key any more: whoever comes next must not be told what was known."""
        self._known.pop(prefix, None)

    def forget(self) -> None:
        self._known.clear()


def init_app(app: Flask) -> None:
    app.extensions["holders"] = Holders()


def find(token: str) -> Holder | None:
    """Who holds this key; None for anything that is not a key that works. Its use is noted."""
    if not SHAPE.fullmatch(token):
        return None
    prefix, _, secret = token.rpartition("_")
    holders: Holders = current_app.extensions["holders"]
    known = holders.get(prefix) or _look(holders, prefix)
    right = hmac.compare_digest(known.secret_hash if known else hashed(""), hashed(secret))
    if known is None or not right:
        return None
    _note_use(prefix, known)
    return known.holder


def forget() -> None:
    """In the transaction around a change of what keys open: once it is durable, this process asks anew at once."""
    holders: Holders = current_app.extensions["holders"]
    after_commit(holders.forget)


def prefix_of(header: str) -> str | None:
    """The public part of the key in an Authorization header; None when no key has this shape. It proves nothing."""
    token = header.removeprefix("Bearer ").strip()
    return token.rpartition("_")[0] if SHAPE.fullmatch(token) else None


def hashed(secret: str) -> str:
    """A secret has 256 random bits and needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _look(holders: Holders, prefix: str) -> Known | None:
    at = holders.clock()  # before the ledger is asked: what changes meanwhile counts as not seen
    # Not by the session, which would keep its connection until the request is over.
    with db.engine.connect() as connection:
        row = connection.execute(_LOOK, {"prefix": prefix}).first()
    if row is None:
        holders.drop(prefix)
        return None
    secret_hash, used_at, scopes, kind, user_id, email, role, verified_at, time_zone = row
    granted, is_test = frozenset(scopes.split()), prefix.startswith(TEST_KEY)
    holder = Holder(user_id, email, role, verified_at, time_zone, granted, kind, is_test)
    known = Known(at, secret_hash, used_at, holder)
    holders.put(prefix, known)
    return known


def _note_use(prefix: str, known: Known) -> None:
    at = datetime.now(UTC)
    if known.used_at is not None and (at - known.used_at).total_seconds() < USE_RESOLUTION:
        return
    known.used_at = at
    with writing() as session:
        session.execute(update(ApiKey).where(ApiKey.prefix == prefix).values(last_used_at=now()))
