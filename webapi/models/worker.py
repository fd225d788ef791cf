"""A worker: one main process that takes hints, as it last described itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Json, Moment, now


class Worker(db.Model):  # type: ignore[name-defined,misc]
    """`seen_at` older than a minute means that it is gone; a clean stop deletes the row.

    `kinds` are those that its program declares, each with the version of its payload; None of a program from before
    there were versions.
    """

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(Moment, default=now())
    seen_at: Mapped[datetime] = mapped_column(Moment, default=now())
    last_hint_at: Mapped[datetime | None] = mapped_column(Moment)
    busy: Mapped[int] = mapped_column(default=0)
    slots: Mapped[int]
    queues: Mapped[list[str]] = mapped_column(Json)
    version: Mapped[str] = mapped_column(String(40))
    kinds: Mapped[dict[str, int] | None] = mapped_column(Json)
