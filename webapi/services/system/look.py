"""One look at the ledger: what a page or the doctor judges, read once and at one time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, literal, select, text

from webapi.extensions import db
from webapi.models import Schedule
from webapi.models.columns import Moment, now
from webapi.services.system import CAP, backlog, crew, drift, overdue
from webapi.services.system.backlog import Running, Waiting
from webapi.services.system.crew import Member
from webapi.services.system.drift import Queue
from webapi.services.system.overdue import Due

LATE = 60.0  # seconds that a due job or a schedule may wait before somebody should look
SHOWN = 20

_UNCERTAIN = text(
    """
    SELECT count(*) AS jobs, min(finished_at) AS oldest FROM (
        SELECT finished_at FROM jobs WHERE state = 'uncertain' ORDER BY finished_at LIMIT :most) AS few
    """
).columns(jobs=Integer, oldest=Moment)


@dataclass(frozen=True)
class Late:
    """A schedule whose time has come and gone. `problem` says that there is a reason, which its owner reads."""

    id: UUID
    kind: str
    next_at: datetime
    problem: bool


@dataclass(frozen=True)
class Look:
    """The system at `clock`, which is the database's. Counts over `CAP` mean more."""

    clock: datetime
    kinds: list[Waiting]
    running: list[Running]
    crew: list[Member]
    queues: list[Queue]
    oldest: Due | None
    not_woken: Due | None
    late: list[Late]
    uncertain: int
    uncertain_since: datetime | None

    @property
    def due(self) -> int:
        return sum(each.due for each in self.kinds)

    @property
    def orphans(self) -> list[Running]:
        """Attempts that no living worker holds."""
        return crew.orphans(self.crew, self.running)

    def age(self, at: datetime) -> float:
        """Seconds since a moment, by the same clock; 0 for what is to come."""
        return max(0.0, (self.clock - at).total_seconds())


def look() -> Look:
    """Look now. Reads a bounded number of rows."""
    if db.engine.dialect.name == "postgresql":
        # It takes what the counts may read at most for what they will read, and compiles for longer than they take.
        db.session.execute(text("SET LOCAL jit = off"))
    clock: datetime = db.session.execute(select(now())).scalar_one()
    running = backlog.running()
    kinds = backlog.kinds(running)
    members = crew.members(clock, running)
    uncertain = db.session.execute(_UNCERTAIN, {"most": CAP + 1}).one()
    return Look(
        clock=clock,
        kinds=kinds,
        running=running,
        crew=members,
        queues=drift.queues(kinds, members, clock),
        oldest=overdue.oldest(kinds),
        not_woken=overdue.not_woken(clock),
        late=_late(clock),
        uncertain=uncertain.jobs,
        uncertain_since=uncertain.oldest,
    )


def _late(clock: datetime) -> list[Late]:
    due = literal(clock - timedelta(seconds=LATE), Moment)
    query = select(Schedule.id, Schedule.kind, Schedule.next_at, Schedule.problem.is_not(None))
    rows = db.session.execute(query.where(~Schedule.paused, Schedule.next_at < due).order_by(Schedule.next_at))
    return [Late(*row) for row in rows.fetchmany(SHOWN)]


def many(count: int) -> str:
    """`1,234`, and `more than 5,000` for a count that stopped there."""
    return f"more than {CAP:,}" if count > CAP else f"{count:,}"


def several(count: int, one: str, more: str) -> str:
    """`1 job is`, `1,234 jobs are`."""
    return f"{many(count)} {one if count == 1 else more}"
