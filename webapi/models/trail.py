"""The audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Moment, now


class TrailEntry(db.Model):  # type: ignore[name-defined,misc]
    """Something that somebody did: an administrator, or a person to what guards their account.

    `user_id` is whose account it is about, who may see it; it names no row, for the trail outlives accounts.
    `count` is how often, for what is counted and not listed.
    """

    __tablename__ = "audit_trail"
    __table_args__ = (Index("ix_audit_trail_user", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now())
    actor: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(60))
    on_what: Mapped[str | None] = mapped_column(String(200))
    user_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    count: Mapped[int] = mapped_column(default=1)
    request_id: Mapped[str | None] = mapped_column(String(64))
