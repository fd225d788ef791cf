"""The one way to change a job's state: compare, set, and write it down, or do none of it."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.queue.acting import Errands
from tests.queue.rows import accept, change, job, states
from webapi.extensions import db
from webapi.models import Job, JobEvent, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue.ledger import first_of, move

pytestmark = pytest.mark.usefixtures("owner")
CANCEL: dict[str, Any] = {"actor": "a test", "reason": "because", "finished_at": now()}


def test_a_job_in_the_state_moves_and_says_what_it_is() -> None:
    job_id = accept("errand.hold", Errands())
    with writing() as session:
        (moved,) = move(session, State.QUEUED, State.CANCELLED, Job.id == job_id, **CANCEL)
    assert (moved.id, moved.kind, moved.queue, moved.epoch, moved.attempt) == (job_id, "errand.hold", "default", 0, 0)
    assert job(job_id).state == "cancelled"


def test_a_job_in_another_state_stays_and_nothing_is_written() -> None:
    job_id = accept("errand.hold", Errands(), delay=60)
    with writing() as session:
        assert move(session, State.QUEUED, State.CANCELLED, Job.id == job_id, **CANCEL) == []
    assert states(job_id) == ["scheduled"]


def test_the_fence_of_an_older_attempt_moves_nothing() -> None:
    job_id = accept("errand.hold", Errands())
    change(job_id, state=State.RUNNING, attempt=2, lease_until=after(60))
    with writing() as session:
        fence = (Job.id == job_id, Job.attempt == 1)
        assert move(session, State.RUNNING, State.FAILED, *fence, lease_until=None, **CANCEL) == []
    assert (job(job_id).state, states(job_id)) == ("running", ["queued"])


def test_the_event_and_the_change_stand_or_fall_together() -> None:
    job_id = accept("errand.hold", Errands())
    with suppress(RuntimeError), writing() as session:
        move(session, State.QUEUED, State.CANCELLED, Job.id == job_id, **CANCEL)
        raise RuntimeError
    assert (job(job_id).state, states(job_id)) == ("queued", ["queued"])


def test_events_are_numbered_and_say_from_where_by_whom_and_why() -> None:
    job_id = accept("errand.hold", Errands())
    with writing() as session:
        move(session, State.QUEUED, State.CANCELLED, Job.id == job_id, **CANCEL)
    events = db.session.scalars(select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.seq)).all()
    assert [(each.seq, each.from_state, each.to_state) for each in events] == [
        (1, None, "queued"),
        (2, "queued", "cancelled"),
    ]
    assert (events[1].actor, events[1].reason) == ("a test", "because")


def test_a_reason_that_is_too_long_is_cut() -> None:
    job_id = accept("errand.hold", Errands())
    with writing() as session:
        move(session, State.QUEUED, State.CANCELLED, Job.id == job_id, **{**CANCEL, "reason": "r" * 900})
    reason = db.session.scalar(select(JobEvent.reason).where(JobEvent.job_id == job_id, JobEvent.seq == 2))
    assert reason == "r" * 500


def test_of_many_who_move_a_job_at_once_one_does(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands())
    db.session.remove()
    barrier, moved = Barrier(8), []

    def race() -> None:
        with ground.app_context():
            barrier.wait()
            with writing() as session:
                moved.extend(move(session, State.QUEUED, State.CANCELLED, Job.id == job_id, **CANCEL))
            db.session.remove()

    threads = [Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(moved) == 1
    assert states(job_id) == ["queued", "cancelled"]


def test_the_first_are_chosen_by_priority_then_time_and_no_more_than_asked() -> None:
    late = accept("errand.hold", Errands(), priority=1)
    first, second = (accept("errand.hold", Errands()) for _ in range(2))
    change(second, run_at=after(-10))
    with writing() as session:
        chosen = first_of(Job.state == State.QUEUED, limit=2)
        moved = move(session, State.QUEUED, State.CANCELLED, chosen, **CANCEL)
    assert {each.id for each in moved} == {first, second}
    assert job(late).state == "queued"


def test_what_another_transaction_holds_is_passed_over(ground: Flask) -> None:
    if ground.config["DATABASE_URL"].startswith("sqlite"):
        pytest.skip("SQLite has one writer: nobody holds a row while another writes")
    held, free = (accept("errand.hold", Errands()) for _ in range(2))
    with db.engine.connect() as other, other.begin():
        other.execute(select(Job.id).where(Job.id == held).with_for_update())
        with writing() as session:
            moved = move(session, State.QUEUED, State.CANCELLED, first_of(Job.state == State.QUEUED, limit=2), **CANCEL)
    assert [each.id for each in moved] == [free]
