"""What an older copy of the ledger might repeat waits for a person; what it cannot have begun goes on."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from tests.kinds.faulty import Note
from tests.queue import acting
from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import accept, change, effects, job, states
from webapi.extensions import db
from webapi.models import EffectState, Job
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named, restored
from webapi.queue.audit import audit
from webapi.queue.control import Answer
from webapi.queue.effects import outstanding
from webapi.queue.run import work

pytestmark = pytest.mark.usefixtures("owner")
TWO = Errands(acts=["one", "two"])


def hold() -> None:
    while restored.hold_some():
        continue


def whole() -> bool:
    db.session.rollback()
    return not [each for each in audit() if each.offenders]


def settle(job_id: UUID, answer: Answer) -> None:
    with writing() as session:
        restored.settle(session, job_id, answer, "a person")


def test_a_queued_job_and_its_acts_wait_for_a_person() -> None:
    job_id = accept("errand.hold", TWO)
    hold()
    assert (job(job_id).state, job(job_id).error_code) == ("uncertain", "restored")
    assert {(each.state, each.maybe) for each in effects(job_id).values()} == {("unknown", True)}
    work(kind_named("errand.hold"))
    assert (acting.WORLD, whole()) == ([], True)


def test_a_running_job_loses_its_lease_and_what_was_done_stays_done() -> None:
    job_id = accept("errand.hold", TWO)
    with attempt_at() as attempt:
        first, _ = outstanding(TWO.acts)
        first.mark()
        first.settle(EffectState.DONE, code=250)
        assert attempt.number == 1
    hold()
    assert (job(job_id).state, job(job_id).lease_until) == ("uncertain", None)
    assert {key: each.state for key, each in effects(job_id).items()} == {"one": "done", "two": "unknown"}
    assert whole()


def test_what_was_due_meanwhile_is_held_and_what_is_still_to_come_is_not() -> None:
    late, later = accept("errand.hold", TWO, delay=60), accept("errand.hold", TWO, delay=60)
    change(late, run_at=after(-1))
    over = accept("errand.once", Errands(acts=["three"]))
    work(kind_named("errand.once"))
    hold()
    assert [job(each).state for each in (late, later, over)] == ["uncertain", "scheduled", "succeeded"]


def test_the_call_that_tells_of_it_is_held_too() -> None:
    job_id = accept("errand.hold", TWO, callback_url="https://hooks.example/told")
    hold()
    (call,) = db.session.scalars(select(Job).where(Job.parent_id == job_id))
    assert (call.kind, call.state) == ("http.call", "uncertain")
    assert whole()


def test_released_it_runs_and_each_act_that_may_be_a_second_one_is_counted() -> None:
    job_id = accept("errand.hold", TWO)
    hold()
    settle(job_id, "resend")
    work(kind_named("errand.hold"))
    assert (job(job_id).state, acting.WORLD) == ("succeeded", ["one", "two"])
    assert {each.resends for each in effects(job_id).values()} == {1}
    assert whole()


def test_settled_it_counts_as_done_and_nothing_happens() -> None:
    job_id, plain = accept("errand.hold", TWO), accept("test.note", Note())
    hold()
    settle(job_id, "delivered")
    settle(plain, "delivered")
    assert [job(each).state for each in (job_id, plain)] == ["succeeded", "succeeded"]
    assert states(job_id) == ["queued", "uncertain", "succeeded"]
    assert (acting.WORLD, whole()) == ([], True)


def test_a_job_without_acts_runs_again_when_it_is_released() -> None:
    job_id = accept("return.odd", acting.Anything(value="nan"))
    hold()
    settle(job_id, "resend")
    assert (job(job_id).state, job(job_id).epoch) == ("queued", 1)


def test_twice_is_as_once() -> None:
    job_id = accept("errand.hold", TWO)
    hold()
    assert restored.hold_some() == 0
    assert states(job_id) == ["queued", "uncertain"]


def test_what_is_held_is_counted_by_kind_and_found_by_kind_and_owner() -> None:
    accept("errand.hold", TWO)
    accept("errand.once", TWO)
    assert restored.counted() == {"errand.hold": 1, "errand.once": 1}
    hold()
    assert restored.counted() == {}
    found = db.session.scalars(select(Job.kind).where(*restored.held("errand.once"))).all()
    assert found == ["errand.once"]
