"""How long the system took to go on after each kill that hit."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from webapi.extensions import db
from webapi.local.drill.chaos import Kill
from webapi.models import FINAL, JobEvent, State


@dataclass(frozen=True)
class Times:
    """Seconds."""

    count: int
    median: float
    p95: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times | None:
        if not seconds:
            return None
        ordered = sorted(seconds)
        p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        return cls(len(ordered), median(ordered), p95, ordered[-1])


@dataclass(frozen=True)
class Recovery:
    """`finished`: until the next job finished. For each job that the dead held: `queued`, until it was queued again,
    and `again`, until it ran again, which takes as long as there is a queue."""

    finished: Times | None
    queued: Times | None
    again: Times | None


def measure(app: Flask, kills: Sequence[Kill]) -> Recovery:
    """From the history in the ledger; its clock is this machine's."""
    ends: list[float] = []
    after: dict[tuple[UUID, State], list[float]] = defaultdict(list)
    with app.app_context():
        # The first epoch alone: a job that a customer runs again long after is no measure of the system.
        query = select(JobEvent.job_id, JobEvent.at, JobEvent.to_state).where(JobEvent.epoch == 0).order_by(JobEvent.at)
        for row in db.session.execute(query.where(JobEvent.to_state.in_([State.QUEUED, State.RUNNING, *FINAL]))):
            if State(row.to_state).final:
                ends.append(row.at.timestamp())
            else:
                after[row.job_id, State(row.to_state)].append(row.at.timestamp())
    held = [(kill.at, job_id) for kill in kills for job_id in kill.held]
    return Recovery(
        Times.of(_waits((kill.at, ends) for kill in kills)),
        Times.of(_waits((at, after[job_id, State.QUEUED]) for at, job_id in held)),
        Times.of(_waits((at, after[job_id, State.RUNNING]) for at, job_id in held)),
    )


def _waits(questions: Iterable[tuple[float, Sequence[float]]]) -> list[float]:
    """From each moment to the first one after it, where there is one."""
    found = ((at, moments, bisect_right(moments, at)) for at, moments in questions)
    return [moments[place] - at for at, moments, place in found if place < len(moments)]
