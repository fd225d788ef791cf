"""A job: one accepted piece of work."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Document, Json, Moment, now
from webapi.models.states import FINAL, State, sql_list

IS_FINAL = f"state IN ({sql_list(FINAL)})"
QUEUED = text("state = 'queued'")
ANY_PRIORITY = text("state = 'queued' AND priority >= 0")
RUNNING = text("state = 'running'")
UNSENT = text("state = 'queued' AND published_at IS NULL")
# SQLite uses a partial index for a query that repeats its condition to the letter.
LATER = text("state IN ('scheduled', 'retrying')")
HAS_DEADLINE = text(f"NOT ({IS_FINAL}) AND deadline_at IS NOT NULL")


def _of_the_queued(name: str, *columns: str) -> Index:
    return Index(name, *columns, postgresql_where=QUEUED, sqlite_where=QUEUED)


class Job(db.Model):  # type: ignore[name-defined,misc]
    """A row of the ledger. `attempt` is the fencing token: it goes up at each claim and never down.

    `payload_version` is that of its kind when it was accepted; no older program claims it.
    `turn` orders the queued jobs of a kind between their owners; see `webapi.queue.turns`.
    What a job of the sandbox does to the outside world is only played: nothing leaves. `callback_url` is told of the
    job's end by an `http.call` that is accepted in the same transaction.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"state IN ({sql_list(State)})", "known_state"),
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", "running_is_leased"),
        CheckConstraint(f"({IS_FINAL}) = (finished_at IS NOT NULL)", "final_is_finished"),
        CheckConstraint("progress BETWEEN 0 AND 100", "progress_is_a_percentage"),
        UniqueConstraint("schedule_id", "scheduled_for"),
        # What a claim reads: whose turn it is, and which of their jobs is the best. The third is read at acceptance.
        _of_the_queued("ix_jobs_turn", "kind", "turn", "id"),
        _of_the_queued("ix_jobs_line", "kind", "owner_id", "priority", "run_at", "id"),
        _of_the_queued("ix_jobs_last_turn", "kind", "owner_id", "turn"),
        # For how long a kind's jobs have waited. Not for claims, which do not ask for a priority: PostgreSQL, when it
        # knows of no backlog yet, would take any index that begins with the kind and sort what it finds.
        Index("ix_jobs_oldest", "kind", "run_at", postgresql_where=ANY_PRIORITY, sqlite_where=ANY_PRIORITY),
        # What each pass of the relay reads. The finished, which are nearly all, are in none of these.
        Index("ix_jobs_due", "run_at", postgresql_where=LATER, sqlite_where=LATER),
        Index("ix_jobs_unsent", "queue", postgresql_where=UNSENT, sqlite_where=UNSENT),
        Index("ix_jobs_deadline", "deadline_at", postgresql_where=HAS_DEADLINE, sqlite_where=HAS_DEADLINE),
        # Without the end of the lease: a heartbeat then changes no index, and PostgreSQL writes the row alone.
        Index("ix_jobs_running", "kind", "lease_owner", postgresql_where=RUNNING, sqlite_where=RUNNING),
        # Lists are newest first; a UUIDv7 sorts by the time it was made.
        Index("ix_jobs_owner", "owner_id", "id"),
        Index("ix_jobs_owner_state", "owner_id", "state", "id", postgresql_include=["kind"]),  # counts leave kinds out
        # What waits for a person, and the checks of the ledger that administrators asked for: few of all rows.
        Index(
            "ix_jobs_uncertain",
            "finished_at",
            postgresql_where=text("state = 'uncertain'"),
            sqlite_where=text("state = 'uncertain'"),
        ),
        Index(
            "ix_jobs_audits",
            "id",
            postgresql_where=text("kind = 'system.audit'"),
            sqlite_where=text("kind = 'system.audit'"),
        ),
        Index("ix_jobs_owner_kind", "owner_id", "kind", "id"),
        # Few jobs have an error or a tag: the others are in neither index.
        Index(
            "ix_jobs_owner_error",
            "owner_id",
            "error_code",
            "id",
            postgresql_where=text("error_code IS NOT NULL"),
            sqlite_where=text("error_code IS NOT NULL"),
        ),
        Index(
            "ix_jobs_tags",
            "tags",
            postgresql_using="gin",
            postgresql_ops={"tags": "jsonb_path_ops"},
            postgresql_where=text("tags <> '[]'::jsonb"),
            sqlite_where=text("tags IS NULL"),  # SQLite has no such index: this one is always empty
        ),
        Index(
            "ix_jobs_parent",
            "parent_id",
            "state",
            postgresql_where=text("parent_id IS NOT NULL"),
            sqlite_where=text("parent_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(Document)
    payload_version: Mapped[int] = mapped_column(default=1, server_default="1")
    queue: Mapped[str] = mapped_column(String(100))
    priority: Mapped[int] = mapped_column(default=0)
    turn: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    tags: Mapped[list[str]] = mapped_column(Json, default=list)
    state: Mapped[State] = mapped_column(String(10))
    epoch: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    attempt_budget: Mapped[int]
    crash_count: Mapped[int] = mapped_column(default=0)
    run_at: Mapped[datetime] = mapped_column(Moment)
    deadline_at: Mapped[datetime | None] = mapped_column(Moment)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(Moment)
    published_at: Mapped[datetime | None] = mapped_column(Moment)
    publish_count: Mapped[int] = mapped_column(default=0)
    schedule_id: Mapped[UUID | None] = mapped_column(ForeignKey("schedules.id", ondelete="SET NULL"))
    scheduled_for: Mapped[datetime | None] = mapped_column(Moment)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    request_id: Mapped[str | None] = mapped_column(String(64))
    sandbox: Mapped[bool] = mapped_column(default=False, server_default=false())
    callback_url: Mapped[str | None] = mapped_column(String(2000))
    progress: Mapped[int] = mapped_column(default=0)
    progress_note: Mapped[str | None] = mapped_column(String(200))
    result: Mapped[Any | None] = mapped_column(Document)
    error_code: Mapped[str | None] = mapped_column(String(100))
    error_public: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now())
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
