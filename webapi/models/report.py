"""Reports: what to ask of which source, in versions, and the builds of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Moment, now


class Report(db.Model):  # type: ignore[name-defined,misc]
    """A definition under a name. `version` is the newest of its versions; one that is deleted keeps them."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now())
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


class ReportVersion(db.Model):  # type: ignore[name-defined,misc]
    """What a definition said at some time. It is never changed: what was accepted is built as it was accepted.

    `source` is `data` (datasets, and the owner's own jobs and receipts) or the name of a configured database.
    `datasets` are pairs of a table's name in the statement and the dataset's id.
    """

    __tablename__ = "report_versions"

    report_id: Mapped[UUID] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(60))
    sql: Mapped[str] = mapped_column(Text)
    parameters: Mapped[list[dict[str, Any]]] = mapped_column(Document, default=list)
    datasets: Mapped[list[list[str]]] = mapped_column(Document, default=list)
    chart: Mapped[dict[str, Any] | None] = mapped_column(Document)
    locale: Mapped[str] = mapped_column(String(20), default="en")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())


class ReportBuild(db.Model):  # type: ignore[name-defined,misc]
    """The newest build of a fingerprint: of the same question about the same data of the same owner.

    While its job runs, others that ask the same wait for it; afterwards they may take its files.
    """

    __tablename__ = "report_builds"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    as_of: Mapped[datetime] = mapped_column(Moment, default=now())
