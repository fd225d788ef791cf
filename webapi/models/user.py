"""People, their sessions, and the keys of their programs."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from flask_login import UserMixin
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment, now
from webapi.models.states import sql_list

TEST_KEY = "wapi_test_"  # how the keys begin whose jobs are only played


class Role(StrEnum):
    """What a person may do: look, use, or also run the place. The command line gives roles; nothing else does."""

    VIEWER = "viewer"
    USER = "user"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """What a key may do: submit jobs, read what is there, change what is there."""

    SUBMIT = "submit"
    READ = "read"
    MANAGE = "manage"


class User(UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """A person. `session_epoch` is in every session: raising it ends all of theirs.

    `open_jobs` counts their jobs that are not over, without the calls that tell of a job's end; the ledger keeps it
    with each change of a state. `storage_bytes` is the size of their files, kept with the rows that name them.
    `mails_today` are the mails that were accepted on the day `mails_on`.
    `time_zone` is the one in which times are shown to them.
    """

    __tablename__ = "users"
    __table_args__ = (CheckConstraint(f"role IN ({sql_list(Role)})", name="known_role"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    session_epoch: Mapped[int] = mapped_column(default=0)
    role: Mapped[str] = mapped_column(String(20), default=Role.USER, server_default=Role.USER)
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    open_jobs: Mapped[int] = mapped_column(default=0, server_default="0")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    storage_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    mails_today: Mapped[int] = mapped_column(default=0, server_default="0")
    mails_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())

    @property
    def is_admin(self) -> bool:
        return bool(self.role == Role.ADMINISTRATOR)

    @property
    def only_kind(self) -> str | None:
        """The kind to which the key that asks is bound; None for a person and for other keys."""
        kind: str | None = self.__dict__.get("_only_kind")
        return kind

    def keep_to(self, kind: str | None) -> None:
        """For as long as this object lives: let it see and submit the jobs of one kind alone."""
        self.__dict__["_only_kind"] = kind


class SignIn(db.Model):  # type: ignore[name-defined,misc]
    """A session of a person. `id` is the SHA-256 of what the cookie holds: who reads this table gets into none.

    `epoch` is the person's when they gave their password, so that one which begins while the password is changed is
    dead too. `confirmed_at` is when the password was last given in it.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user", "user_id", "last_seen_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    user_agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    last_seen_at: Mapped[datetime] = mapped_column(Moment, default=now())
    confirmed_at: Mapped[datetime] = mapped_column(Moment, default=now())


class Ticket(db.Model):  # type: ignore[name-defined,misc]
    """What a mailed link may do once: bring somebody in (`invitation`), or give a person another address (`address`).

    The link holds its signed id, which is kept nowhere: who reads this table can make none.
    """

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_user", "user_id", "purpose"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(320))
    email_before: Mapped[str | None] = mapped_column(String(320))
    role: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class ApiKey(db.Model):  # type: ignore[name-defined,misc]
    """`secret_hash` is the SHA-256 of the secret, which has 256 random bits and needs no slow hash.

    `scopes` are divided by spaces, as in RFC 6750. A key with a `kind` is for the jobs of that kind alone.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_owner", "owner_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(32), unique=True)
    last_four: Mapped[str] = mapped_column(String(4))
    secret_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(40), default=" ".join(Scope), server_default=" ".join(Scope))
    kind: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def is_test(self) -> bool:
        return self.prefix.startswith(TEST_KEY)

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes.split()
