"""Cancelling, running again and settling, one rule at a time, with attempts in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID, uuid4

import pytest

from tests.queue.acting import WORLD, Errands
from tests.queue.attempts import KEYS, attempt_at
from tests.queue.rows import accept, change, effects, job, states
from tests.servers import Broker
from webapi.errors import Conflict, Invalid
from webapi.models import FINAL, EffectState, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import control, finish, kind_named
from webapi.queue.effects import outstanding
from webapi.queue.run import work

pytestmark = pytest.mark.usefixtures("owner")
Answers = Mapping[UUID, control.Answer]


def cancel(job_id: UUID) -> None:
    with writing() as session:
        control.cancel(session, job_id, "a test")


def replay(job_id: UUID) -> None:
    with writing() as session:
        control.replay(session, job_id, "a test")


def resolve(job_id: UUID, answers: Answers) -> None:
    with writing() as session:
        control.resolve(session, job_id, answers, "a test")


def ended(*answers: EffectState) -> UUID:
    """A job that is over, its two acts answered so."""
    job_id = accept("errand.hold", Errands(acts=KEYS))
    with attempt_at() as attempt:
        for act, answer in zip(outstanding(KEYS), answers, strict=True):
            act.mark()
            act.settle(answer)
        finish.succeeded(attempt, "first")
    return job_id


DONE, REFUSED, UNKNOWN = EffectState.DONE, EffectState.REFUSED, EffectState.UNKNOWN


def test_a_job_that_waits_is_cancelled_at_once() -> None:
    jobs = {state: accept("errand.hold", Errands()) for state in (State.SCHEDULED, State.QUEUED, State.RETRYING)}
    for state, job_id in jobs.items():
        change(job_id, state=state)
        cancel(job_id)
    assert [job(job_id).state for job_id in jobs.values()] == ["cancelled"] * 3
    assert job(jobs[State.QUEUED]).finished_at is not None


def test_a_job_that_runs_is_asked_to_stop_and_keeps_its_lease() -> None:
    job_id = accept("errand.hold", Errands())
    with attempt_at():
        cancel(job_id)
        row = job(job_id)
        assert (row.state, row.cancel_requested_at is not None, row.lease_until is not None) == ("running", True, True)


def test_a_job_that_is_over_cannot_be_cancelled() -> None:
    job_id = ended(DONE, DONE)
    with pytest.raises(Conflict, match="is succeeded; there is nothing left to cancel"):
        cancel(job_id)
    assert job(job_id).cancel_requested_at is None


def test_a_job_is_not_just_cancelled_over_an_act_that_may_have_happened() -> None:
    job_id = accept("errand.hold", Errands(acts=["one"]))
    with attempt_at():
        outstanding(["one"])[0].mark()
    change(job_id, state=State.RETRYING, lease_until=None, run_at=after(60))
    cancel(job_id)
    assert (job(job_id).state, effects(job_id)["one"].state) == ("uncertain", "unknown")


def test_a_job_that_has_begun_is_not_cancelled_before_it_began() -> None:
    job_id = accept("errand.hold", Errands())
    with attempt_at():
        pass
    change(job_id, state=State.RETRYING, lease_until=None)
    cancel(job_id)
    assert "before it began" not in (job(job_id).error_public or "")


@pytest.mark.parametrize("state", FINAL)
def test_whatever_is_over_can_be_run_again(state: State, broker: Broker) -> None:
    job_id = accept("errand.hold", Errands())
    old = {"result": "old", "error_code": "old", "error_public": "old", "progress": 40, "crash_count": 2}
    change(job_id, state=state, finished_at=now(), deadline_at=after(-1), cancel_requested_at=now(), **old)
    broker.client().flushall()
    replay(job_id)
    row = job(job_id)
    assert (row.state, row.epoch, row.result, row.error_code, row.error_public) == ("queued", 1, None, None, None)
    assert (row.progress, row.crash_count, row.deadline_at, row.cancel_requested_at) == (0, 0, None, None)
    assert broker.client().llen("{webapi}:default") == 1


def test_what_is_done_is_not_repeated_when_a_job_is_run_again() -> None:
    job_id = ended(DONE, REFUSED)
    replay(job_id)
    work(kind_named("errand.hold"))
    assert (job(job_id).state, WORLD) == ("succeeded", ["two"])
    assert states(job_id) == ["queued", "running", "failed", "queued", "running", "succeeded"]


def test_what_nobody_knows_stays_unknown_when_a_job_is_run_again() -> None:
    job_id = ended(DONE, UNKNOWN)
    replay(job_id)
    work(kind_named("errand.hold"))
    assert (job(job_id).state, WORLD) == ("uncertain", [])


def test_a_second_run_has_a_budget_of_its_own() -> None:
    job_id = ended(DONE, REFUSED)
    change(job_id, attempt=7)
    replay(job_id)
    assert (job(job_id).attempt, job(job_id).attempt_budget) == (7, 12)


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
def test_a_job_that_is_not_over_is_not_run_again_and_nothing_changes(state: State) -> None:
    job_id = ended(DONE, REFUSED)
    change(job_id, state=state, finished_at=None)
    with pytest.raises(Conflict, match="not over yet"):
        replay(job_id)
    assert (job(job_id).epoch, effects(job_id)["two"].state) == (0, "refused")


def answers(job_id: UUID, **given: control.Answer) -> Answers:
    return {effects(job_id)[key].id: answer for key, answer in given.items()}


def test_evidence_that_all_arrived_makes_an_uncertain_job_succeed() -> None:
    job_id = ended(DONE, UNKNOWN)
    resolve(job_id, answers(job_id, two="delivered"))
    row = job(job_id)
    assert (row.state, row.error_code, row.error_public, row.epoch) == ("succeeded", None, None, 0)
    assert states(job_id) == ["queued", "running", "uncertain", "succeeded"]


def test_a_job_with_more_to_settle_stays_uncertain() -> None:
    job_id = ended(UNKNOWN, UNKNOWN)
    resolve(job_id, answers(job_id, one="delivered"))
    assert (job(job_id).state, effects(job_id)["one"].state) == ("uncertain", "done")


def test_what_is_to_be_sent_again_is_sent_again_and_counted() -> None:
    job_id = ended(DONE, UNKNOWN)
    resolve(job_id, answers(job_id, two="resend"))
    work(kind_named("errand.hold"))
    assert (job(job_id).state, WORLD) == ("succeeded", ["two"])
    assert (effects(job_id)["two"].resends, effects(job_id)["two"].try_no) == (1, 2)


@pytest.mark.parametrize("wrong", [lambda job_id: effects(job_id)["one"].id, lambda job_id: uuid4()])
def test_only_what_is_unknown_can_be_settled(wrong: Callable[[UUID], UUID]) -> None:
    job_id = ended(DONE, UNKNOWN)
    with pytest.raises(Invalid, match="no unknown effect of this job"):
        resolve(job_id, {**answers(job_id, two="delivered"), wrong(job_id): "delivered"})
    assert (job(job_id).state, effects(job_id)["two"].state) == ("uncertain", "unknown")


def test_only_an_uncertain_job_can_be_settled() -> None:
    job_id = ended(DONE, REFUSED)
    with pytest.raises(Conflict, match="Only an uncertain job"):
        resolve(job_id, answers(job_id, two="delivered"))
