"""What the first page knows: right to the job while there are few, bounded when there are many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Person
from webapi.models import Job, Schedule, State
from webapi.models.transaction import writing
from webapi.services import overview

pytestmark = pytest.mark.usefixtures("context")
NOW = datetime(2026, 11, 21, 14, 25, tzinfo=UTC)
_numbers = count(1)


def row(owner: UUID, state: State, at: datetime, seconds: float = 1, kind: str = "data.process") -> Job:
    """A job that is over, as the ledger would have left it."""
    return Job(
        id=UUID(int=overview.first_id(at).int + next(_numbers)), owner_id=owner, kind=kind, payload={}, queue="default",
        state=state, attempt_budget=1, run_at=at, created_at=at, started_at=at,
        finished_at=at + timedelta(seconds=seconds),
    )  # fmt: skip


def keep(*rows: Any) -> None:
    with writing() as session:
        session.add_all(rows)


def test_the_last_day_is_24_full_hours_and_the_one_that_runs_is_the_last(ada: Person) -> None:
    found = overview.hours(ada.row, NOW)
    assert len(found) == 24
    assert found[-1].begins == NOW.replace(minute=0)
    assert {later.begins - earlier.begins for earlier, later in pairwise(found)} == {timedelta(hours=1)}
    assert all(hour.succeeded == hour.failed == 0 and hour.median is hour.slow is None for hour in found)


def test_each_hour_has_its_jobs_and_their_durations(ada: Person, eve: Person) -> None:
    hour = NOW.replace(minute=0) - timedelta(hours=3)
    last = hour + timedelta(minutes=59, seconds=59, milliseconds=999)
    keep(
        *(row(ada.id, State.SUCCEEDED, hour, seconds=seconds) for seconds in range(1, 21)),
        row(ada.id, State.SUCCEEDED, last, seconds=0.5),
        row(ada.id, State.UNCERTAIN, last),
        row(ada.id, State.EXPIRED, last),
        row(ada.id, State.CANCELLED, last),
        row(ada.id, State.FAILED, hour + timedelta(hours=1)),
        row(ada.id, State.SUCCEEDED, hour - timedelta(days=1)),
        row(eve.id, State.SUCCEEDED, hour),
    )
    found = {each.begins: each for each in overview.hours(ada.row, NOW)}
    assert (found[hour].succeeded, found[hour].failed) == (21, 2)
    assert (found[hour].median, found[hour].slow) == (10, 19)
    assert (found[hour + timedelta(hours=1)].succeeded, found[hour + timedelta(hours=1)].failed) == (0, 1)
    assert sum(each.succeeded + each.failed for each in found.values()) == 24


def test_what_fires_next_comes_first_and_what_is_stuck_is_told(ada: Person, eve: Person) -> None:
    def schedule(owner: Person, hours: int, **more: Any) -> Schedule:
        at = NOW + timedelta(hours=hours)
        values: dict[str, Any] = {
            "kind": "data.process",
            "payload": {},
            "cron": "0 9 * * *",
            "timezone": "UTC",
            "created_at": NOW,
        }
        return Schedule(
            id=UUID(int=next(_numbers)), owner_id=owner.id, name=f"in {hours}", next_at=at, **values, **more
        )

    keep(
        *(schedule(ada, hours) for hours in (7, 3, 5, 9, 8, 6)),
        schedule(ada, 1, paused=True),
        schedule(ada, 2, problem="You have too many open jobs."),
        schedule(eve, 1, problem="Hers."),
    )
    assert [each.name for each in overview.upcoming(ada.row)] == ["in 2", "in 3", "in 5", "in 6", "in 7"]
    assert [each.name for each in overview.stuck(ada.row)] == ["in 2"]
