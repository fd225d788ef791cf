"""How many jobs ended in the last minutes, how, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, literal, literal_column, select, union_all

from webapi.extensions import db
from webapi.models import Job, JobEvent, State
from webapi.models.columns import Moment
from webapi.models.event import OUTCOME, OUTCOMES
from webapi.services.system import CAP

SHORT, LONG = 300.0, 3600.0  # seconds
FAILURES = 500  # failed ones that are looked at for what they have in common
CAUSES = 10


@dataclass(frozen=True)
class Rate:
    """Attempts that ended in `state`. `short` and `long` are per minute over the last 5 and 60 minutes.

    A busy system ends more than `CAP` in an hour: then only the newest `CAP` are read, and `long` (and `short`, if
    they are younger than that) is their pace.
    """

    state: State
    short: float
    long: float
    count: int

    @property
    def capped(self) -> bool:
        return self.count == CAP


@dataclass(frozen=True)
class Cause:
    """Jobs of one kind that failed for one reason within the last hour."""

    kind: str
    code: str
    count: int
    latest: datetime


def rates(clock: datetime) -> list[Rate]:
    """One for each way to end, also for those in which nothing did. `clock` is the database's."""
    # The moments are parameters: a volatile clock in a condition would keep PostgreSQL from using its index.
    rows = db.session.execute(union_all(*(_newest(state, clock) for state in OUTCOMES)))
    return [_rate(State(state), clock, count, recent, first) for state, count, recent, first in rows]


def _newest(state: State, clock: datetime) -> Select[str, int, int, datetime]:
    some = _since(state, clock, JobEvent.at).limit(CAP).subquery()
    recent = func.count().filter(some.c.at > literal(clock - timedelta(seconds=SHORT), Moment))
    return select(literal(state.value), func.count(some.c.at), recent, func.min(some.c.at, type_=Moment))


def _since(state: State, clock: datetime, *columns: Any) -> Select[Any]:
    """The events of the last hour that ended in `state`, the newest first."""
    began = literal(clock - timedelta(seconds=LONG), Moment)
    ended = JobEvent.to_state == literal_column(f"'{state.value}'")
    # SQLite uses a partial index for a query that repeats its condition to the letter.
    return select(*columns).where(OUTCOME, ended, JobEvent.at > began).order_by(JobEvent.at.desc())


def _rate(state: State, clock: datetime, count: int, recent: int, first: datetime | None) -> Rate:
    span = LONG
    if first is not None and count == CAP:
        span = max(1.0, (clock - first).total_seconds())
    return Rate(state, 60 * recent / min(SHORT, span), 60 * count / span, count)


def causes(clock: datetime) -> list[Cause]:
    """Why jobs failed within the last hour, the most frequent reason first; of the newest `FAILURES`."""
    failed = _since(State.FAILED, clock, JobEvent.at, JobEvent.job_id).limit(FAILURES).subquery()
    latest = func.max(failed.c.at, type_=Moment)
    code = func.coalesce(Job.error_code, "run again since")
    counted = select(Job.kind, code, func.count(), latest).join(failed, failed.c.job_id == Job.id)
    rows = db.session.execute(counted.group_by(Job.kind, code).order_by(func.count().desc(), latest.desc()))
    return [Cause(*row) for row in rows.fetchmany(CAUSES)]
