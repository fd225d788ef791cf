"""The one way in which a job changes its state: a guarded UPDATE and its event, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session

from webapi.models import Job, JobEvent, State, User
from webapi.models.columns import now
from webapi.models.lists import among


@dataclass(frozen=True)
class Moved:
    """A job that has just changed its state."""

    id: UUID
    owner_id: UUID
    kind: str
    queue: str
    epoch: int
    attempt: int
    callback_url: str | None = None
    parent_id: UUID | None = None

    @property
    def counted(self) -> bool:
        """Whether it is one of the jobs that its owner may have so many of; telling that a job is over is not."""
        return self.parent_id is None or self.kind != CALLBACK


MOVED = (Job.id, Job.owner_id, Job.kind, Job.queue, Job.epoch, Job.attempt, Job.callback_url, Job.parent_id)
CALLBACK = "http.call"  # the kind that tells a job's callback_url

# No parameter: a plan that is made for all parameters would not use the partial indexes.
QUEUED, RUNNING = (literal_column(f"'{state}'", String) for state in (State.QUEUED, State.RUNNING))
# Made once, of tables and not of classes: building a statement takes longer than the database takes to run it.
JOBS, EVENTS, USERS = (cast(Table, model.__table__) for model in (Job, JobEvent, User))
# For rows that are found by their ids. With the plain condition PostgreSQL reads the index of all that is queued, where
# its statistics are of a time when nothing was: 160 ms beside 1 ms for 64 ids among 8,000 jobs that have just come.
STILL_QUEUED = JOBS.c.state.concat("") == QUEUED
NEXT_SEQ = (
    select(func.coalesce(func.max(EVENTS.c.seq), 0) + 1)
    .where(EVENTS.c.job_id == JOBS.c.id)
    .correlate(JOBS)
    .scalar_subquery()
)
SAID = {"from_state": String, "to_state": String, "refines": Boolean, "actor": String, "reason": String}
RECORD = insert(EVENTS).from_select(
    ["job_id", "seq", "at", "epoch", "attempt", *SAID],
    select(
        JOBS.c.id, NEXT_SEQ, now(), JOBS.c.epoch, JOBS.c.attempt, *(bindparam(n, type_=t) for n, t in SAID.items())
    ).where(among(JOBS.c.id, "ids")),
)
ADD_OPEN = (
    update(USERS)
    .where(USERS.c.id == bindparam("an_owner"))
    .values(open_jobs=USERS.c.open_jobs + bindparam("change", type_=Integer))
)


def move(
    session: Session,
    from_state: State,
    to_state: State,
    *conditions: ColumnElement[bool],
    actor: str,
    reason: str,
    refines: bool = False,
    **values: Any,
) -> list[Moved]:
    """Compare and set: those jobs that are in `from_state` and meet `conditions` go to `to_state`.

    Whoever takes jobs to a final state announces it by `followup.announce_end`.

    `values` are further columns; `refines` marks late evidence about a job that is over. Returns the
    jobs that moved; none means that somebody else was first, or that the caller's fence no longer
    holds. Must run inside a writing transaction.
    """
    statement = (
        update(Job)
        .where(Job.state == from_state, *conditions)
        .values(state=to_state, **values)
        .returning(*MOVED)
        .execution_options(synchronize_session=False)
    )
    moved = [Moved(**row._mapping) for row in session.execute(statement)]
    if moved:
        record(session, [each.id for each in moved], from_state, to_state, actor, reason, refines=refines)
    count_open(session, moved, from_state, to_state)
    return moved


def record(
    session: Session,
    ids: Sequence[UUID],
    from_state: State | None,
    to_state: State,
    actor: str,
    reason: str,
    *,
    refines: bool = False,
) -> None:
    """Append one event to each job, in one statement. The rows are locked by this transaction: `seq` has no race."""
    said = {"from_state": from_state, "to_state": to_state, "refines": refines, "actor": actor, "reason": reason[:500]}
    session.connection().execute(RECORD, {"ids": ids, **said})


def count_open(session: Session, jobs: Sequence[Moved], from_state: State, to_state: State) -> None:
    """Keep each owner's number of open jobs."""
    change = from_state.final - to_state.final
    counts = Counter(job.owner_id for job in jobs if job.counted) if change else Counter[UUID]()
    for owner, count in sorted(counts.items()):  # in one order, against deadlocks
        add_open(session, owner, change * count)


def add_open(session: Session, owner_id: UUID, change: int) -> None:
    """Change an owner's number of open jobs; their row stays locked by this transaction."""
    session.connection().execute(ADD_OPEN, {"an_owner": owner_id, "change": change})


def first_of(
    *conditions: ColumnElement[bool], limit: int, order: Sequence[Any] = (Job.priority, Job.run_at, Job.id)
) -> ColumnElement[bool]:
    """The first `limit` jobs by priority, then time, or as `order` says; rows that others hold are skipped.

    The choice is a materialised CTE: PostgreSQL may run a plain subquery once for each candidate
    row, and each run would skip what the last one locked and choose others.
    """
    chosen = (
        select(Job.id)
        .where(*conditions)
        .order_by(*order)
        .limit(literal(limit, Integer))
        .with_for_update(skip_locked=True)
        .cte("chosen")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return Job.id.in_(select(chosen.c.id))
