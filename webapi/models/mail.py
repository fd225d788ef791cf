"""What mail needs beside its effects: templates with their versions, senders, and addresses never to be mailed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment, now


class Template(db.Model):  # type: ignore[name-defined,misc]
    """A mail's text under a name. `version` is the newest of its versions.

    One that is deleted keeps its versions, for what was accepted with them; its name begins again where it ended.
    """

    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now())
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


class TemplateVersion(db.Model):  # type: ignore[name-defined,misc]
    """What a template said at some time. It is never changed: what was accepted is mailed as it was accepted."""

    __tablename__ = "template_versions"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(500))
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    layout: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())


class Sender(db.Model):  # type: ignore[name-defined,misc]
    """An address from which its owner may send, once whoever reads it has confirmed that."""

    __tablename__ = "senders"
    __table_args__ = (UniqueConstraint("owner_id", "address"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(100), default="")
    reply_to: Mapped[str | None] = mapped_column(String(320))
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())


class Suppression(db.Model):  # type: ignore[name-defined,misc]
    """An address that its owner's mails do not go to. `address` is in lower case."""

    __tablename__ = "suppressions"
    __table_args__ = (CheckConstraint("reason IN ('manual', 'bounce', 'unsubscribe')", "known_reason"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    reason: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
