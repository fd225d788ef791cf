"""An event: one change of a job's state. Append-only; folding a job's events gives its state."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment, now
from webapi.models.states import FINAL, State, sql_list

ONE_OWNER = text("to_state = 'running'")
ONE_END = text(f"to_state IN ({sql_list(FINAL)}) AND NOT refines")
OUTCOMES = (*FINAL, State.RETRYING)  # how an attempt may end
OUTCOME = text(f"to_state IN ({sql_list(OUTCOMES)})")


class JobEvent(db.Model):  # type: ignore[name-defined,misc]
    """Written in the transaction that changes the job.

    `one_owner` and `one_end` make two promises facts of the database: an attempt has one owner, and
    an epoch ends once. `refines` marks the one exception: late evidence settles an uncertain job.
    """

    __tablename__ = "job_events"
    __table_args__ = (
        Index("one_owner", "job_id", "attempt", unique=True, postgresql_where=ONE_OWNER, sqlite_where=ONE_OWNER),
        Index("one_end", "job_id", "epoch", unique=True, postgresql_where=ONE_END, sqlite_where=ONE_END),
        # How many ended in a time, by how they ended.
        Index("ix_job_events_outcomes", "to_state", "at", postgresql_where=OUTCOME, sqlite_where=OUTCOME),
    )

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment, default=now())
    epoch: Mapped[int]
    attempt: Mapped[int]
    from_state: Mapped[State | None] = mapped_column(String(10))
    to_state: Mapped[State] = mapped_column(String(10))
    refines: Mapped[bool] = mapped_column(default=False)
    actor: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(500))
