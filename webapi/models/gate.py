"""A gate: what holds a whole kind back, however many workers there are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment


class Gate(db.Model):  # type: ignore[name-defined,misc]
    """`ready_at` is when a steady stream at the kind's rate lets the next attempt begin; a pause is made by hand."""

    __tablename__ = "gates"

    kind: Mapped[str] = mapped_column(String(100), primary_key=True)
    ready_at: Mapped[datetime | None] = mapped_column(Moment)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    paused_by: Mapped[str | None] = mapped_column(String(100))
