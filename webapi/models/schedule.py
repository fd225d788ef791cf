"""A schedule: a kind, a payload and a cron expression in a time zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Moment, now


class Schedule(db.Model):  # type: ignore[name-defined,misc]
    """`version` goes up at each edit, so that two editors do not overwrite each other.

    `callback_url` is that of each of its jobs.
    `problem` says why its last fire time brought no job; it is empty when it did.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("catchup IN ('latest', 'all', 'none')", "known_catchup"),
        Index("ix_schedules_next_at", "next_at"),
        Index("ix_schedules_owner", "owner_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    kind: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(Document)
    payload_version: Mapped[int] = mapped_column(default=1, server_default="1")
    cron: Mapped[str] = mapped_column(String(120))
    timezone: Mapped[str] = mapped_column(String(64))
    next_at: Mapped[datetime] = mapped_column(Moment)
    catchup: Mapped[str] = mapped_column(String(10), default="latest")
    paused: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    callback_url: Mapped[str | None] = mapped_column(String(2000))
    problem: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
