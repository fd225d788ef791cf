"""One look reads a bounded number of rows, by indexes, however many jobs there are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from tests.kinds.faulty import Note
from tests.queue.rows import OWNER, accept
from tests.services.system import crowd
from webapi.extensions import db
from webapi.models import Schedule, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.claim import claim
from webapi.services.system import audits, rates
from webapi.services.system.look import look, many, several

pytestmark = pytest.mark.usefixtures("owner")


def scheduled(next_in: float, **more: Any) -> UUID:
    values = {"id": uuid7(), "owner_id": OWNER, "kind": "test.note", "payload": {}, "cron": "@daily", **more}
    with writing() as session:
        session.execute(insert(Schedule).values(timezone="UTC", next_at=after(next_in), **values))
    found: UUID = values["id"]
    return found


def test_schedules_that_are_late_are_named_and_paused_ones_are_not() -> None:
    late = scheduled(-600)
    scheduled(-600, paused=True)
    scheduled(-5)
    why = scheduled(-700, problem="Its kind is gone.")
    found = look().late
    assert [(each.id, each.problem) for each in found] == [(why, True), (late, False)]


def test_uncertain_jobs_are_counted_from_the_oldest() -> None:
    crowd.fill(3, State.UNCERTAIN, ago=50)
    crowd.fill(2, State.FAILED)
    seen = look()
    assert seen.uncertain == 3
    assert seen.uncertain_since is not None
    assert seen.age(seen.uncertain_since) == pytest.approx(50, abs=3)


def test_an_empty_ledger_is_looked_at_too() -> None:
    seen = look()
    assert (seen.due, seen.running, seen.crew, seen.oldest, seen.uncertain, seen.late) == (0, [], [], None, 0, [])
    assert [each.hints for each in seen.queues] == [0, 0, 0]


def test_no_statement_reads_the_whole_ledger() -> None:
    crowd.fill(5000, State.SUCCEEDED, ago=90_000)
    crowd.fill(5, State.UNCERTAIN)
    crowd.fill(5, State.FAILED)
    crowd.fill(2500, State.QUEUED, kind="test.told")
    for _ in range(3):
        accept("test.note", Note())
        accept("test.slow", Note(), delay=60)
    assert claim(kind_named("test.note")) is not None
    asked: list[tuple[str, Any]] = []
    db.session.rollback()
    with crowd.statements(asked):
        seen = look()
        rates.rates(seen.clock)
        rates.causes(seen.clock)
        audits.latest()
    found = crowd.plans(asked)
    assert len(found) > 10
    whole = ("SCAN jobs", "SCAN job_events", "Seq Scan on jobs", "Seq Scan on job_events")
    lines = [line for plan in found for line in plan.splitlines()]
    assert [line for line in lines if any(each in line for each in whole) and "USING INDEX" not in line] == []


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (1234, "1,234"), (5_000, "5,000"), (5_001, "more than 5,000")])
def test_a_count_reads_like_one(count: int, text: str) -> None:
    assert many(count) == text


def test_one_is_no_plural() -> None:
    assert [several(count, "job is", "jobs are") for count in (1, 2)] == ["1 job is", "2 jobs are"]
