"""Firing schedules: one job for each fire time, however many relays there are and whatever was missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from tests.locks import in_the_way
from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept
from webapi.extensions import db
from webapi.models import Job, Schedule
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import cron
from webapi.queue.ledger import add_open
from webapi.queue.schedules import BATCH, fire_due

pytestmark = pytest.mark.usefixtures("owner")


def clock() -> datetime:
    found: datetime = db.session.execute(select(now())).scalar_one()
    return found


def add(late: timedelta = timedelta(0), **values: Any) -> UUID:
    """A schedule of each minute whose first unfired time lies so far back."""
    next_at = (clock() - late).replace(second=0, microsecond=0)
    row = {
        "id": uuid7(), "owner_id": OWNER, "kind": "errand.hold", "payload": {"acts": ["a"]}, "cron": "* * * * *",
        "timezone": "UTC", "next_at": next_at, **values,
    }  # fmt: skip
    with writing() as session:
        session.execute(insert(Schedule).values(**row))
    found: UUID = row["id"]
    return found


def fired() -> list[datetime]:
    db.session.rollback()
    return [at for at in db.session.scalars(select(Job.scheduled_for).order_by(Job.scheduled_for)) if at]


def row(schedule_id: UUID) -> Schedule:
    db.session.rollback()
    return db.session.get_one(Schedule, schedule_id, populate_existing=True)


def test_a_fire_time_becomes_one_job_and_the_next_is_set(owner: object) -> None:
    schedule_id = add()
    due = row(schedule_id).next_at
    for _ in range(3):
        fire_due()
    (job,) = db.session.scalars(select(Job)).all()
    assert (job.schedule_id, job.scheduled_for, job.payload, job.state) == (schedule_id, due, {"acts": ["a"]}, "queued")
    assert row(schedule_id).next_at > clock()


def test_nothing_fires_before_its_time_or_while_it_is_paused(owner: object) -> None:
    add(late=timedelta(minutes=-2))
    add(paused=True)
    fire_due()
    assert fired() == []


@pytest.mark.parametrize("catchup", ["latest", "all", "none"])
def test_what_was_missed_follows_the_policy(catchup: str) -> None:
    first = row(add(late=timedelta(minutes=7), catchup=catchup)).next_at
    fire_due()
    times = fired()
    every = [first + timedelta(minutes=count) for count in range(round((times[-1] - first) / timedelta(minutes=1)) + 1)]
    assert times == (every if catchup == "all" else every[-1:])
    assert clock() - times[-1] < timedelta(minutes=2)


@pytest.mark.parametrize(("catchup", "expected"), [("latest", 1), ("none", 0)])
def test_a_daily_schedule_that_was_missed_by_hours(catchup: str, expected: int) -> None:
    at = (clock() - timedelta(hours=5)).replace(second=0, microsecond=0)
    schedule_id = add(catchup=catchup, cron=f"{at.minute} {at.hour} * * *", next_at=at)
    fire_due()
    assert fired() == [at] * expected
    assert row(schedule_id).next_at == at + timedelta(days=1)


def test_many_missed_times_are_fired_in_several_passes(owner: object) -> None:
    add(late=timedelta(minutes=BATCH + 20), catchup="all")
    fire_due()
    assert len(fired()) == BATCH
    fire_due()
    times = fired()
    assert len(times) == len(set(times)) >= BATCH + 21


def test_several_relays_at_the_same_moment_fire_once(ground: Flask) -> None:
    for _ in range(5):
        add()
    db.session.remove()
    barrier = Barrier(4)

    def run() -> None:
        with ground.app_context():
            barrier.wait()
            fire_due()
            db.session.remove()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fired()) == 5


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
def test_a_job_is_submitted_by_hand_while_its_schedule_fires(ground: Flask) -> None:
    """Whoever submits locks the owner first and refers to the schedule then; whoever fires, the other way round."""
    schedule_id = add()
    db.session.remove()

    def run_now(session: Session) -> None:
        accept("errand.hold", Errands(), schedule_id=schedule_id)

    with in_the_way(ground, lambda session: add_open(session, OWNER, 0), run_now):
        fire_due()
    assert (len(fired()), db.session.scalar(select(func.count()).select_from(Job))) == (1, 2)


def test_a_time_that_has_its_job_already_brings_no_other(owner: object) -> None:
    schedule_id = add()
    due = row(schedule_id).next_at
    accept("errand.hold", Errands(), schedule_id=schedule_id, scheduled_for=due)
    fire_due()
    assert fired()[0] == due
    assert len(set(fired())) == len(fired())


BREAKS: dict[str, tuple[Callable[[Flask], dict[str, Any]], str]] = {
    "a kind that is gone": (lambda app: {"kind": "errand.gone"}, "no kind of job called 'errand.gone'"),
    "a payload that is not taken": (lambda app: {"payload": {"acts": 5}}, "no longer takes this payload"),
    "a time that is none": (lambda app: {"cron": "61 * * * *"}, "bad minute"),
}


@pytest.mark.parametrize("break_it", BREAKS)
def test_one_that_cannot_be_fired_says_why_stays_due_and_holds_up_no_other(ground: Flask, break_it: str) -> None:
    values, words = BREAKS[break_it]
    broken, well = add(**values(ground)), add()
    before = row(broken).next_at
    fire_due()
    fire_due()
    assert words in (row(broken).problem or "")
    assert row(broken).next_at == before
    assert [job.schedule_id for job in db.session.scalars(select(Job))] == [well]


def test_one_that_was_mended_fires_and_forgets_its_problem(owner: object) -> None:
    schedule_id = add(kind="errand.gone")
    fire_due()
    with writing() as session:
        session.execute(update(Schedule).values(kind="errand.hold"))
    fire_due()
    assert (len(fired()), row(schedule_id).problem) == (1, None)


def test_an_owner_at_their_quota_gets_the_job_once_there_is_room(ground: Flask) -> None:
    schedule_id = add()
    ground.config["MAX_OPEN_JOBS"] = 1
    try:
        other = accept("errand.hold", Errands())
        fire_due()
        assert "1 jobs that are not over" in (row(schedule_id).problem or "")
        with writing() as session:
            session.execute(update(Job).where(Job.id == other).values(state="cancelled", finished_at=now()))
            session.execute(update(db.metadata.tables["users"]).values(open_jobs=0))
        fire_due()
    finally:
        ground.config["MAX_OPEN_JOBS"] = 20_000
    assert len(fired()) == 1


def test_a_summer_morning_and_a_winter_morning_are_the_same_hour(owner: object) -> None:
    before = datetime(2026, 10, 24, 7, 0, tzinfo=UTC)  # 09:00 in Vienna
    after = cron.first_after("0 9 * * *", "Europe/Vienna", before)
    assert after - before == timedelta(hours=25)
