"""What work costs in processor time: this process's and that of the PostgreSQL sessions that serve it. Linux only."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from webapi.extensions import db

SESSIONS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)


@dataclass(frozen=True)
class Taken:
    """So many jobs in so many seconds, of which processors worked so many."""

    jobs: int
    seconds: float
    busy: float

    @property
    def rate(self) -> float:
        return self.jobs / self.seconds


def take(work: Callable[[], int]) -> Taken:
    """Do `work`, which says how many jobs it did."""
    spent, began = _spent(), time.perf_counter()
    jobs = work()
    taken = time.perf_counter() - began
    return Taken(jobs, taken, _spent() - spent)


def _spent() -> float:
    seconds = time.process_time()
    for pid in db.session.scalars(SESSIONS).all():
        with suppress(FileNotFoundError):
            seconds += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    db.session.remove()
    return seconds
