"""Datasets: tables that people handed in as files."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Moment, now

HAS_JOB = text("job_id IS NOT NULL")


class Dataset(db.Model):  # type: ignore[name-defined,misc]
    """A file under the name by which statements call it.

    `state` is `inspecting` until a worker has read the whole file, then `ready` or `faulty`, with the `problem`.
    `options` say how a text file is read, `columns` are pairs of a name and a type, `rows` is their exact number.
    `sha256` names the file as it came, `table_sha256` its rows as Parquet, which is what statements read.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        CheckConstraint("state IN ('inspecting', 'ready', 'faulty')", "known_state"),
        UniqueConstraint("owner_id", "name"),
        Index("ix_datasets_sha256", "sha256"),
        Index("ix_datasets_table_sha256", "table_sha256"),
        # Whoever deletes a job asks whether a dataset names it.
        Index("ix_datasets_job", "job_id", postgresql_where=HAS_JOB, sqlite_where=HAS_JOB),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(10))
    sha256: Mapped[str] = mapped_column(String(64))
    table_sha256: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10), default="inspecting")
    problem: Mapped[str | None] = mapped_column(String(500))
    options: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    columns: Mapped[list[list[str]]] = mapped_column(Document, default=list)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now())
