"""One winner for each attempt, and the best due job for it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert, text
from uuid_utils.compat import uuid7

from tests.kinds.quick import Line
from tests.queue.acting import Errands
from tests.queue.plans import heard
from tests.queue.rows import OWNER, accept, change, job, states
from webapi.extensions import db
from webapi.models import FINAL, Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.attempt import Attempt
from webapi.queue.batch import submit_batch
from webapi.queue.children import worker_id
from webapi.queue.claim import claim, claim_set

pytestmark = pytest.mark.usefixtures("owner")


def take() -> Attempt | None:
    return claim(kind_named("errand.hold"))


def taken() -> UUID | None:
    attempt = take()
    return attempt.job_id if attempt else None


def race(ground: Flask, runners: int) -> list[UUID]:
    """What so many threads get that claim at the same moment."""
    db.session.remove()
    barrier, won = Barrier(runners), []

    def run() -> None:
        with ground.app_context():
            barrier.wait()
            attempt = take()
            won.extend([attempt.job_id] if attempt else [])
            db.session.remove()

    threads = [Thread(target=run) for _ in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_a_claim_begins_an_attempt_under_a_lease(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands(acts=["one"]), priority=3)
    attempt = take()
    assert attempt is not None
    assert (attempt.job_id, attempt.owner_id, attempt.number, attempt.payload) == (job_id, OWNER, 1, {"acts": ["one"]})
    row = job(job_id)
    assert (row.state, row.attempt, row.lease_owner) == ("running", 1, f"{worker_id(ground)}:{os.getpid()}")
    assert row.lease_until is not None
    assert timedelta(seconds=4) < row.lease_until - datetime.now(UTC) <= timedelta(seconds=6.5)
    assert states(job_id) == ["queued", "running"]


def test_of_eight_who_claim_one_job_one_gets_it(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands())
    assert race(ground, 8) == [job_id]
    assert states(job_id) == ["queued", "running"]


def test_eight_who_claim_eight_jobs_get_one_each(ground: Flask) -> None:
    jobs = {accept("errand.hold", Errands()) for _ in range(8)}
    won = race(ground, 8)
    assert len(won) == len(set(won))
    won += [job_id for job_id in iter(taken, None) if job_id]  # PostgreSQL may pass over a row that is being looked at
    assert set(won) == jobs


def test_a_claim_takes_one_of_many_however_the_database_plans_it() -> None:
    """Without statistics PostgreSQL expects one row, and would choose anew for each that it meets."""
    row = {"owner_id": OWNER, "kind": "errand.hold", "payload": {"acts": []}, "queue": "default", "attempt_budget": 5}
    with writing() as session:
        session.execute(
            insert(Job).values(state=State.QUEUED, run_at=now(), published_at=now()),
            [{**row, "id": uuid7()} for _ in range(300)],
        )
    assert take() is not None
    rows = db.session.execute(text("SELECT state, count(*) FROM jobs GROUP BY state")).all()
    assert {(state, count) for state, count in rows} == {("running", 1), ("queued", 299)}


def test_the_lowest_priority_goes_first_and_among_equals_the_oldest() -> None:
    third = accept("errand.hold", Errands(), priority=1)
    second = accept("errand.hold", Errands())
    first = accept("errand.hold", Errands())
    change(first, run_at=after(-60))
    assert [taken(), taken(), taken(), taken()] == [first, second, third, None]


def test_a_hint_takes_only_jobs_of_its_kind() -> None:
    accept("errand.resend", Errands())
    assert take() is None


def test_a_job_that_is_not_due_is_not_taken() -> None:
    accept("errand.hold", Errands(), delay=60)
    accept("errand.hold", Errands(), run_at=datetime.now(UTC) + timedelta(hours=1))
    assert take() is None


def test_a_job_that_is_over_or_resting_is_not_taken() -> None:
    for state in (*FINAL, State.RETRYING):
        change(accept("errand.hold", Errands()), state=state, finished_at=now() if state.final else None)
    assert take() is None


def test_a_job_that_is_to_be_cancelled_is_not_taken() -> None:
    change(accept("errand.hold", Errands()), cancel_requested_at=now())
    assert take() is None


@pytest.mark.parametrize(("seconds", "is_taken"), [(-1, False), (60, True)])
def test_a_job_is_taken_only_before_its_deadline(seconds: float, is_taken: bool) -> None:
    change(accept("errand.hold", Errands()), deadline_at=after(seconds))
    assert (take() is not None) is is_taken


def test_the_attempts_of_a_job_are_counted_and_its_beginning_stays() -> None:
    job_id = accept("errand.hold", Errands())
    take()
    began = job(job_id).started_at
    change(job_id, state=State.QUEUED, lease_until=None, lease_owner=None, progress=40, progress_note="half")
    attempt = take()
    assert attempt is not None
    assert attempt.number == 2
    again = job(job_id)
    assert (again.started_at, again.progress, again.progress_note) == (began, 0, None)


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
def test_a_claim_in_a_backlog_that_the_statistics_do_not_know_reads_what_it_takes(ground: Flask) -> None:
    """They are of a quiet time, and then thousands come at once: what is queued is not read from end to end."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE jobs"))
    submit_batch(kind_named("test.quick"), {place: Line() for place in range(3_000)}, owner_id=OWNER)
    with heard() as found:
        assert len(claim_set(kind_named("test.quick"), 16)) == 16
    (plan,) = [each for each in found.plans.values() if each.statement.startswith("UPDATE jobs")]
    assert plan.indexes == {"pk_jobs"}, plan
