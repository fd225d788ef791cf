"""People and the keys of their programs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment, now

TEST_KEY = "wapi_test_"  # how the keys begin whose jobs are only played


class User(UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """A person. `session_epoch` is in every cookie: raising it ends all of their sessions.

    `open_jobs` counts their jobs that are not over; the ledger keeps it with each change of a state.
    """

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    session_epoch: Mapped[int] = mapped_column(default=0)
    is_admin: Mapped[bool] = mapped_column(default=False)
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    open_jobs: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())

    def get_id(self) -> str:
        return f"{self.id}:{self.session_epoch}"


class ApiKey(db.Model):  # type: ignore[name-defined,misc]
    """`secret_hash` is the SHA-256 of the secret, which has 256 random bits and needs no slow hash."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_owner", "owner_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(32), unique=True)
    last_four: Mapped[str] = mapped_column(String(4))
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def is_test(self) -> bool:
        return self.prefix.startswith(TEST_KEY)
