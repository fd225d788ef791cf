"""API keys: shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import ApiKey, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.models.user import TEST_KEY

LIVE_KEY = "wapi_live_"
SHAPE = re.compile(rf"({LIVE_KEY}|{TEST_KEY})[0-9a-f]{{12}}_[0-9a-f]{{64}}")
USE_RESOLUTION = 60.0  # seconds; "last used" is not worth a write for each request


def create(owner: User, name: str, test: bool = False) -> str:
    """A new key for `owner`, as `wapi_live_<id>_<secret>`. This is the only time it can be seen.

    The jobs of a `test` key, `wapi_test_…`, run in the sandbox: all of them is done, and nothing leaves.
    """
    prefix = f"{TEST_KEY if test else LIVE_KEY}{secrets.token_hex(6)}"
    secret = secrets.token_hex(32)
    with writing() as session:
        session.add(
            ApiKey(
                id=uuid7(), owner_id=owner.id, name=name, prefix=prefix,
                last_four=secret[-4:], secret_hash=_hash(secret),
            )
        )  # fmt: skip
    return f"{prefix}_{secret}"


def owner_of(token: str) -> User | None:
    """The person whose key this is; None for anything that is not a key that works."""
    if not SHAPE.fullmatch(token):
        return None
    prefix, _, secret = token.rpartition("_")
    key = db.session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
    if not hmac.compare_digest(key.secret_hash if key else _hash(""), _hash(secret)):
        return None
    if key is None or key.revoked_at is not None:
        return None
    owner_id = key.owner_id
    _note_use(key)
    return db.session.get(User, owner_id)


def is_test(token: str) -> bool:
    """Whether a key that works is a test key."""
    return token.startswith(TEST_KEY)


def of(owner: User) -> list[ApiKey]:
    """This person's keys that still work, newest first."""
    query = select(ApiKey).where(ApiKey.owner_id == owner.id, ApiKey.revoked_at.is_(None)).order_by(ApiKey.id.desc())
    return list(db.session.scalars(query))


def revoke(owner: User, key_id: UUID) -> None:
    """End a key at once. Raises NotFound for one that is not this person's."""
    with writing() as session:
        revoked = session.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id, ApiKey.owner_id == owner.id, ApiKey.revoked_at.is_(None))
            .values(revoked_at=now())
        )
        if revoked.rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound("There is no such key.")


def _note_use(key: ApiKey) -> None:
    if key.last_used_at is not None and (datetime.now(UTC) - key.last_used_at).total_seconds() < USE_RESOLUTION:
        return
    with writing() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now()))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
