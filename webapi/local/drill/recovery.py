"""How long the system took to go on after each kill that hit."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
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
    """`finished`: until the next job finished; `again`: until a job that the dead held ran again, for each."""

    finished: Times | None
    again: Times | None


def measure(app: Flask, kills: Sequence[Kill]) -> Recovery:
    """From the history in the ledger; its clock is this machine's."""
    ends: list[float] = []
    begins: dict[UUID, list[tuple[int, float]]] = defaultdict(list)
    with app.app_context():
        query = select(JobEvent.job_id, JobEvent.attempt, JobEvent.at, JobEvent.to_state).order_by(JobEvent.at)
        for row in db.session.execute(query.where(JobEvent.to_state.in_([State.RUNNING, *FINAL]))):
            if row.to_state == State.RUNNING:
                begins[row.job_id].append((row.attempt, row.at.timestamp()))
            else:
                ends.append(row.at.timestamp())
    finished = [ends[place] - kill.at for kill in kills if (place := bisect_right(ends, kill.at)) < len(ends)]
    again = [
        next(at - kill.at for number, at in begins[job_id] if number > attempt)
        for kill in kills
        for job_id, attempt in kill.held
        if any(number > attempt for number, _ in begins[job_id])
    ]
    return Recovery(Times.of(finished), Times.of(again))
