"""What an attempt marked and did not live to settle: nobody can know, and nobody guesses."""

from __future__ import annotations

import pytest

from tests.queue.acting import Errands
from tests.queue.attempts import KEYS, attempt_at, give_up
from tests.queue.rows import accept, effects
from webapi.models import Effect, EffectState
from webapi.queue.attempt import Attempt
from webapi.queue.effects import outstanding


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
