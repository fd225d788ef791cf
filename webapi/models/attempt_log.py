"""What one attempt of a job logged."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Moment, now


class AttemptLog(db.Model):  # type: ignore[name-defined,misc]
    """`lines` are the first and the last; of those between them, `left_out` were not kept."""

    __tablename__ = "attempt_logs"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now())
    left_out: Mapped[int] = mapped_column(default=0)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Document)
