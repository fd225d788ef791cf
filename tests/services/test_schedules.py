"""Schedules as their owners see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from pydantic import ValidationError
from sqlalchemy import update

from tests.conftest import Person
from webapi.errors import Conflict, Forbidden, NotFound
from webapi.extensions import db
from webapi.models import Schedule, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.schedules import fire_due
from webapi.services import schedules
from webapi.services.plans import Plan
from webapi.tasks.report_build import ReportRequest

pytestmark = pytest.mark.usefixtures("context")
PLAN = Plan(name="Weekly", cron="0 9 * * 1", timezone="Europe/Vienna")


def add(owner: User, plan: Plan = PLAN) -> Schedule:
    return schedules.create(owner, kind_named("report.build"), ReportRequest(title="T"), plan)


def test_a_plan_says_what_it_means_and_when_it_comes() -> None:
    times = PLAN.upcoming()
    assert PLAN.explained == "At 09:00 on Monday"
    assert [(at.weekday(), at.hour, at.minute) for at in times] == [(0, 9, 0)] * 5
    assert times == sorted(times)
    assert times[0] - datetime.now(UTC) < timedelta(days=7, hours=2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron": "* * * * * *"}, "cron"),
        ({"cron": "0 0 31 2 *"}, "cron"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"catchup": "some"}, "catchup"),
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(change: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Plan(**{**PLAN.model_dump(), **change})
    assert [fault["loc"] for fault in refused.value.errors()] == [(field,)]


def test_it_is_made_found_listed_and_deleted(ada: Person, eve: Person) -> None:
    row = add(ada.row)
    assert schedules.of(ada.row) == [row]
    assert schedules.of(eve.row) == []
    with pytest.raises(NotFound):
        schedules.find(eve.row, row.id)
    schedules.remove(ada.row, row.id)
    assert schedules.of(ada.row) == []


def test_who_has_not_confirmed_their_address_has_no_schedule(ada: Person) -> None:
    owner = ada.row
    with writing() as session:
        session.execute(update(User).values(verified_at=None))
    with pytest.raises(Forbidden):
        add(owner)


def test_a_change_meets_only_the_version_that_was_seen(ada: Person) -> None:
    row = add(ada.row)
    payload, other = ReportRequest(title="Other"), PLAN.model_copy(update={"name": "Other"})
    changed = schedules.change(ada.row, row.id, 1, plan=other, payload=payload)
    assert (changed.version, changed.name, changed.payload["title"]) == (2, "Other", "Other")
    with pytest.raises(Conflict, match="Somebody changed"):
        schedules.change(ada.row, row.id, 1, plan=PLAN, payload=payload)


def test_a_pause_misses_nothing(ada: Person) -> None:
    row = add(ada.row, Plan(name="Each minute", cron="* * * * *", catchup="all"))
    schedules.set_paused(ada.row, row.id, True)
    with writing() as session:
        session.execute(update(Schedule).values(next_at=after(-3600)))
    resumed = schedules.set_paused(ada.row, row.id, False)
    assert resumed.next_at > datetime.now(UTC) - timedelta(seconds=2)
    fire_due()
    assert len(schedules.history(resumed)) <= 1


def test_it_can_be_run_now_beside_its_times_and_keeps_its_history(app: Flask, ada: Person) -> None:
    row = add(ada.row)
    jobs = [schedules.run_now(ada.row, row.id) for _ in range(2)]
    assert [job.id for job in schedules.history(row)] == [job.id for job in reversed(jobs)]
    assert jobs[0].payload["title"] == row.payload["title"]
    assert jobs[0].payload["timezone"] == row.timezone
    assert (jobs[0].scheduled_for, schedules.find(ada.row, row.id).next_at) == (None, row.next_at)
    ids = [job.id for job in jobs]
    schedules.remove(ada.row, row.id)
    db.session.expire_all()
    assert [db.session.get_one(type(jobs[0]), job_id).schedule_id for job_id in ids] == [None, None]
