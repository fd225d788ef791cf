"""Files: those that people hand in and those that jobs produce. The bytes lie in the file store."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment, now


class Artifact(db.Model):  # type: ignore[name-defined,misc]
    """A file that a job produced. The bytes are on disk before this row is."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("job_id", "name"), Index("ix_artifacts_sha256", "sha256"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    expires_at: Mapped[datetime | None] = mapped_column(Moment)


class Upload(db.Model):  # type: ignore[name-defined,misc]
    """A file that a person or a program handed in, to be named in a payload."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_owner", "owner_id", "id"), Index("ix_uploads_sha256", "sha256"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
