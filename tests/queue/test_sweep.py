"""Jobs whose worker died are found, and jobs whose time ran out are ended: never over an act that may have happened."""

from __future__ import annotations

import subprocess
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.kinds.faulty import Note
from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import accept, change, effects, job, states
from webapi.extensions import db
from webapi.models import EffectState, Job, State
from webapi.models.columns import after, now
from webapi.queue.children import lease_owner, worker_id
from webapi.queue.effects import outstanding
from webapi.queue.sweep import CRASH_CAP, GRACE, expire, sweep

pytestmark = pytest.mark.usefixtures("owner")
LONG_AGO = after(-GRACE - 60)


def abandoned(kind: str = "errand.hold", *, mark: bool = False) -> UUID:
    """A job whose worker died long ago, perhaps between the mark of an act and its answer."""
    job_id = accept(kind, Note() if kind.startswith("test.") else Errands(acts=["one"]))
    with attempt_at(kind):
        if mark:
            outstanding(["one"])[0].mark()
    change(job_id, lease_until=LONG_AGO)
    return job_id


def test_a_job_whose_lease_ran_out_is_to_be_tried_again(ground: Flask) -> None:
    job_id = abandoned()
    sweep(ground)
    row = job(job_id)
    assert (row.state, row.crash_count, row.attempt, row.lease_owner) == ("retrying", 1, 1, None)
    assert states(job_id) == ["queued", "running", "retrying"]


def test_a_lease_that_has_just_run_out_may_still_be_renewed(ground: Flask) -> None:
    job_id = abandoned()
    change(job_id, lease_until=after(-0.5))
    sweep(ground)
    assert job(job_id).state == "running"


def test_a_crash_is_waited_for_a_little_longer_each_time(ground: Flask) -> None:
    job_id = abandoned()
    change(job_id, crash_count=CRASH_CAP - 2)
    sweep(ground)
    assert job(job_id).run_at > job(job_id).created_at


def test_the_third_crash_is_the_last(ground: Flask) -> None:
    job_id = abandoned()
    change(job_id, crash_count=CRASH_CAP - 1)
    sweep(ground)
    row = job(job_id)
    assert (row.state, row.error_code, row.crash_count) == ("failed", "crashed", 3)
    assert row.error_public == "The worker died 3 times while doing this job."


def test_a_crash_in_the_last_attempt_of_the_budget_is_the_last(ground: Flask) -> None:
    job_id = abandoned("errand.once")
    sweep(ground)
    assert (job(job_id).state, job(job_id).error_public) == ("failed", "The worker died 1 time while doing this job.")


def test_no_job_has_failed_over_an_act_that_may_have_happened(ground: Flask) -> None:
    job_id = abandoned("errand.once", mark=True)
    sweep(ground)
    assert (job(job_id).state, effects(job_id)["one"].state) == ("uncertain", "unknown")


def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_died(ground: Flask) -> None:
    plain, acting = abandoned(), abandoned(mark=True)
    for job_id in (plain, acting):
        change(job_id, cancel_requested_at=now())
    sweep(ground)
    assert (job(plain).state, job(acting).state) == ("cancelled", "uncertain")


def test_a_job_that_is_given_up_tells_its_handler(ground: Flask) -> None:
    job_id = abandoned("test.broken")
    change(job_id, crash_count=CRASH_CAP - 1)
    sweep(ground)
    (told,) = db.session.query(Job).filter_by(parent_id=job_id)
    assert (told.kind, told.payload["error_code"]) == ("test.told", "crashed")


def gone() -> int:
    """The id of a process that was and is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_the_death_of_a_process_of_our_own_is_seen_at_once(ground: Flask) -> None:
    dead, alive = abandoned(), abandoned()
    change(dead, lease_owner=f"{worker_id(ground)}:{gone()}", lease_until=after(60))
    change(alive, lease_owner=lease_owner(ground), lease_until=after(60))
    sweep(ground)
    assert (job(dead).state, job(alive).state) == ("retrying", "running")


def test_of_another_machines_processes_only_the_lease_is_known(ground: Flask) -> None:
    job_id = abandoned()
    change(job_id, lease_owner=f"{uuid4()}:{gone()}", lease_until=after(60))
    sweep(ground)
    assert job(job_id).state == "running"


def test_what_waits_past_its_deadline_expires() -> None:
    late = {state: accept("errand.hold", Errands()) for state in (State.SCHEDULED, State.QUEUED, State.RETRYING)}
    for state, job_id in late.items():
        change(job_id, state=state, deadline_at=after(-1))
    in_time = accept("errand.hold", Errands(), delay=60)
    change(in_time, deadline_at=after(120))
    expire()
    assert {job(job_id).state for job_id in late.values()} == {"expired"}
    assert job(late[State.QUEUED]).error_public == "The deadline passed before it began."
    assert job(in_time).state == "scheduled"


def test_what_runs_past_its_deadline_goes_on() -> None:
    job_id = accept("errand.hold", Errands())
    with attempt_at():
        change(job_id, deadline_at=after(-1))
        expire()
        assert job(job_id).state == "running"


def test_a_job_does_not_expire_over_an_act_that_may_have_happened(ground: Flask) -> None:
    job_id = abandoned(mark=True)
    sweep(ground)
    change(job_id, deadline_at=after(-1))
    expire()
    assert (job(job_id).state, effects(job_id)["one"].state) == ("uncertain", "unknown")


def test_a_job_that_has_begun_does_not_expire_as_one_that_could_not_begin(ground: Flask) -> None:
    job_id = abandoned()
    sweep(ground)
    change(job_id, deadline_at=after(-1))
    expire()
    assert "before it began" not in (job(job_id).error_public or "")


def test_a_crash_after_something_got_done_is_not_charged_and_no_poison(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands(acts=["one", "two"]))
    with attempt_at("errand.hold"):
        act = outstanding(["one", "two"])[0]
        act.mark()
        act.settle(EffectState.DONE)
    change(job_id, lease_until=LONG_AGO, crash_count=CRASH_CAP - 1, attempt_budget=1)
    sweep(ground)
    row = job(job_id)
    assert (row.state, row.crash_count, row.attempt_budget) == ("retrying", 0, 2)
    assert {key: effect.state for key, effect in effects(job_id).items()} == {"one": "done", "two": "pending"}


def test_a_crash_after_a_mark_without_an_answer_is_charged(ground: Flask) -> None:
    job_id = abandoned(mark=True)
    change(job_id, crash_count=CRASH_CAP - 1)
    sweep(ground)
    assert job(job_id).state == "uncertain"
