"""What an attempt marked and did not live to settle: nobody can know, and nobody guesses."""

from __future__ import annotations

import pytest

from tests.queue.acting import Errands
from tests.queue.attempts import KEYS, attempt_at, give_up
from tests.queue.rows import accept, change, effects, job, states
from webapi.errors import Permanent, Transient
from webapi.models import Effect, EffectState, State
from webapi.models.transaction import writing
from webapi.queue import finish
from webapi.queue.attempt import Attempt
from webapi.queue.audit import audit
from webapi.queue.control import resolve
from webapi.queue.effects import outstanding
from webapi.queue.finish import failed


def effect(attempt: Attempt) -> Effect:
    return effects(attempt.job_id)["one"]


def test_an_older_attempt_cannot_settle_what_a_newer_one_marked(attempt: Attempt) -> None:
    old = outstanding(KEYS)[0]
    give_up(attempt)
    with attempt_at() as newer:
        outstanding(KEYS)[0].mark()
        old.settle(EffectState.DONE, code=250)
        assert (effect(newer).state, effect(newer).marked_by) == ("inflight", 2)


def test_a_late_answer_of_an_older_attempt_settles_its_own_act(attempt: Attempt) -> None:
    """It was held as unknown; then the reply came after all."""
    act = outstanding(KEYS)[0]
    act.mark()
    give_up(attempt)
    with attempt_at():
        outstanding(KEYS)
        act.settle(EffectState.DONE, code=250)
    assert (effect(attempt).state, effect(attempt).maybe) == ("done", True)


@pytest.mark.parametrize("answer", [EffectState.PENDING, EffectState.REFUSED])
def test_a_late_answer_that_is_no_receipt_leaves_it_to_a_person(attempt: Attempt, answer: EffectState) -> None:
    act = outstanding(KEYS)[0]
    act.mark()
    give_up(attempt)
    with attempt_at():
        outstanding(KEYS)
        act.settle(answer, code=450)
    assert (effect(attempt).state, effect(attempt).maybe) == ("unknown", True)


def test_a_receipt_that_comes_after_the_verdict_is_the_evidence_that_was_missing(attempt: Attempt) -> None:
    first, second = outstanding(KEYS)
    first.mark()
    second.mark()
    give_up(attempt)
    with attempt_at() as newer:
        outstanding(KEYS)
        finish.succeeded(newer, None)
    assert states(attempt.job_id)[-1] == "uncertain"
    first.settle(EffectState.DONE, code=250)
    assert states(attempt.job_id)[-1] == "uncertain"
    second.settle(EffectState.DONE, code=250)
    assert states(attempt.job_id)[-1] == "succeeded"
    broken = {finding.name for finding in audit(files=False) if finding.offenders}
    assert broken <= {"I14b"}  # `give_up` writes no event


def test_held_what_an_older_attempt_left_in_flight_is_unknown_and_waits(attempt: Attempt) -> None:
    outstanding(KEYS)[0].mark()
    give_up(attempt)
    with attempt_at():
        assert [act.key for act in outstanding(KEYS)] == ["two"]
    assert (effect(attempt).state, effect(attempt).maybe, effect(attempt).resends) == ("unknown", True, 0)


@pytest.mark.usefixtures("owner")
def test_resent_what_an_older_attempt_left_in_flight_is_done_again_and_counted() -> None:
    job_id = accept("errand.resend", Errands(acts=KEYS))
    with attempt_at("errand.resend") as first:
        outstanding(KEYS)[0].mark()
        give_up(first)
    with attempt_at("errand.resend"):
        again = outstanding(KEYS)[0]
        again.mark()
        again.settle(EffectState.DONE)
    left = effects(job_id)["one"]
    assert (left.state, left.resends, left.try_no, left.maybe) == ("done", 1, 2, True)


@pytest.mark.usefixtures("owner")
def test_resent_what_an_attempt_settled_as_unanswered_is_done_again_once_and_counted() -> None:
    """The attempt lived to say that nobody answered, and the job is tried again."""
    job_id = accept("errand.resend", Errands(acts=KEYS))
    with attempt_at("errand.resend") as first:
        act = outstanding(KEYS)[0]
        act.mark()
        act.settle(EffectState.UNKNOWN)
        assert [each.key for each in outstanding(KEYS)] == ["two"], "not within the same attempt"
        give_up(first)
    with attempt_at("errand.resend") as second:
        assert len({outstanding(KEYS)[0].id, outstanding(KEYS)[0].id, act.id}) == 1
        give_up(second)  # died before its mark: that is no second sending
    assert (effects(job_id)["one"].state, effects(job_id)["one"].resends) == ("pending", 1)
    with attempt_at("errand.resend"):
        again = outstanding(KEYS)[0]
        again.mark()
        again.settle(EffectState.DONE)
    left = effects(job_id)["one"]
    assert (left.state, left.resends, left.try_no, left.maybe) == ("done", 1, 2, True)


@pytest.mark.usefixtures("owner")
def test_resent_a_job_without_an_answer_is_uncertain_when_its_budget_is_spent() -> None:
    job_id = accept("errand.resend", Errands(acts=["one"]))
    change(job_id, attempt_budget=2)
    for number in (1, 2):
        with attempt_at("errand.resend") as attempt:
            act = outstanding(["one"])[0]
            act.mark()
            act.settle(EffectState.UNKNOWN)
            failed(attempt, Transient("no answer"))
            assert job(job_id).state == ("retrying" if number == 1 else "uncertain")
            if number == 1:
                change(job_id, state=State.QUEUED)
    assert (effects(job_id)["one"].state, effects(job_id)["one"].resends) == ("unknown", 1)


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("answer", [EffectState.REFUSED, EffectState.PENDING])
def test_an_answer_to_the_second_try_says_nothing_of_the_first(answer: EffectState) -> None:
    """It ends unknown, so that a person can settle it; refused or pending there would be nothing to settle."""
    job_id = accept("errand.resend", Errands(acts=["one"]))
    with attempt_at("errand.resend") as first:
        outstanding(["one"])[0].mark()
        give_up(first)
    with attempt_at("errand.resend") as second:
        act = outstanding(["one"])[0]
        act.mark()
        act.settle(answer, code=503)
        failed(second, Permanent("no"))
    left = effects(job_id)["one"]
    assert (job(job_id).state, left.state, left.code) == ("uncertain", "unknown", 503)
    with writing() as session:
        resolve(session, job_id, {left.id: "delivered"}, "ada")
    assert job(job_id).state == "succeeded"
