"""What the first page knows of somebody's jobs, at a price that does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple
from uuid import UUID

from flask import current_app
from sqlalchemy import ScalarSelect, func, literal, select, union_all

from webapi.extensions import db
from webapi.models import Job, Schedule, State, User
from webapi.services import job_lists

HOURS = 24
COUNTED_AN_HOUR = 10_000  # jobs of one hour and state
SAMPLED = 50  # jobs of an hour whose duration is looked at
ENDED_BADLY = (State.FAILED, State.UNCERTAIN, State.EXPIRED)


class Span(NamedTuple):
    """An hour by the ids that its jobs can have: from `low` to below `high`."""

    number: int
    low: UUID
    high: UUID


@dataclass(frozen=True)
class Hour:
    """The jobs that were accepted in one hour and are over. Durations are seconds, from the first start to the end."""

    begins: datetime
    succeeded: int = 0
    failed: int = 0
    median: float | None = None
    slow: float | None = None


def first_id(at: datetime) -> UUID:
    """The lowest id that a job of that moment can have: a UUIDv7 begins with its milliseconds (RFC 9562)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def hours(owner: User, now: datetime) -> list[Hour]:
    """The last 24 hours, oldest first, each from its full hour; the last is the one that runs."""
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begins = [current - timedelta(hours=back) for back in reversed(range(HOURS))]
    spans = [Span(number, first_id(at), first_id(at + timedelta(hours=1))) for number, at in enumerate(begins)]
    counted = _counted(owner, spans)
    spent = _durations(owner, [span for span in spans if counted[span.number][0]])
    return [Hour(at, *counted[number], *_spread(spent.get(number, []))) for number, at in enumerate(begins)]


def _counted(owner: User, spans: Sequence[Span]) -> dict[int, tuple[int, int]]:
    """How many succeeded and how many did not, by the index alone."""
    table = union_all(
        *(select(literal(span.number).label("number"), literal(span.low).label("low"), literal(span.high).label("high"))
          for span in spans)
    ).subquery()  # fmt: skip

    def count(state: State) -> ScalarSelect[int]:
        within = select(Job.id).where(job_lists.owned_by(owner), Job.state == state)
        within = within.where(Job.id >= table.c.low, Job.id < table.c.high)
        within = within.order_by(*job_lists.NEWEST_FIRST).limit(COUNTED_AN_HOUR)
        return select(func.count()).select_from(within.correlate(table).subquery()).correlate(table).scalar_subquery()

    asked = [count(state) for state in (State.SUCCEEDED, *ENDED_BADLY)]
    rows = db.session.execute(select(table.c.number, *asked))
    return {number: (succeeded, sum(others)) for number, succeeded, *others in rows}


def _durations(owner: User, spans: Sequence[Span]) -> dict[int, list[float]]:
    """How long the newest of each span took that succeeded, in seconds, shortest first."""
    if not spans:
        return {}
    newest = [
        select(literal(span.number).label("number"), Job.kind, Job.started_at, Job.finished_at)
        .where(job_lists.owned_by(owner), Job.state == State.SUCCEEDED, Job.id >= span.low, Job.id < span.high)
        .order_by(*job_lists.NEWEST_FIRST)
        .limit(SAMPLED)
        .subquery()
        for span in spans
    ]
    hidden, found = _hidden(), dict[int, list[float]]()
    for number, kind, started, finished in db.session.execute(union_all(*(select(one) for one in newest))):
        if started is not None and kind not in hidden:
            found.setdefault(number, []).append(max(0.0, (finished - started).total_seconds()))
    return {number: sorted(seconds) for number, seconds in found.items()}


def _spread(seconds: list[float]) -> tuple[float | None, float | None]:
    """The median and the 95th percentile (nearest rank) of durations that are sorted."""
    if not seconds:
        return None, None
    return seconds[ceil(len(seconds) * 0.5) - 1], seconds[ceil(len(seconds) * 0.95) - 1]


def upcoming(owner: User, limit: int = 5) -> Sequence[Schedule]:
    """The owner's schedules that fire next."""
    query = select(Schedule).where(Schedule.owner_id == owner.id, Schedule.paused.is_(False))
    return db.session.scalars(query.order_by(Schedule.next_at, Schedule.id).limit(limit)).all()


def stuck(owner: User) -> Sequence[Schedule]:
    """The owner's schedules whose last fire time brought no job."""
    query = select(Schedule).where(Schedule.owner_id == owner.id, Schedule.problem.is_not(None))
    return db.session.scalars(query.order_by(Schedule.next_at, Schedule.id).limit(5)).all()


def _hidden() -> list[str]:
    return [kind.name for kind in current_app.extensions["kinds"].values() if kind.hidden]
