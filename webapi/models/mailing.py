"""A mailing: one template for every row of a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Moment, now


class Mailing(db.Model):  # type: ignore[name-defined,misc]
    """Its id is that of the job that checks its file. The mails are sent by parts, children of that job.

    `state` is `checking`, then `checked` (it waits for a person) or `faulty`, then `sending`; whether it is over is
    for its parts to say. `recipients_sha256` names the checked rows in the file store. `spread` and `spread_offset`
    say how many of them have become parts, and where in that file the next one begins.
    """

    __tablename__ = "mailings"
    __table_args__ = (
        CheckConstraint("state IN ('checking', 'faulty', 'checked', 'sending')", "known_state"),
        ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["template_versions.template_id", "template_versions.version"],
            ondelete="CASCADE",
        ),
        Index("ix_mailings_owner", "owner_id", "id"),
        Index("ix_mailings_recipients_sha256", "recipients_sha256"),
        # The same file for the same template is mailed once, unless somebody says so.
        Index(
            "uq_mailings_file",
            "owner_id",
            "template_id",
            "file_sha256",
            unique=True,
            postgresql_where=text("state = 'sending' AND NOT again"),
            sqlite_where=text("state = 'sending' AND NOT again"),
        ),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    sender: Mapped[str] = mapped_column(String(320))
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id"))
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    rate: Mapped[int | None]
    again: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default="checking")
    findings: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    recipients_sha256: Mapped[str | None] = mapped_column(String(64))
    recipients: Mapped[int] = mapped_column(default=0)
    spread: Mapped[int] = mapped_column(default=0)
    spread_offset: Mapped[int] = mapped_column(default=0)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    cancelled_at: Mapped[datetime | None] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
