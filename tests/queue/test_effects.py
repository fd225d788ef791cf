"""Intent, act, receipt: what is done is never repeated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.queue.attempts import KEYS
from tests.queue.rows import change, effects, job
from webapi.models import Effect, EffectState, State
from webapi.models.columns import after, now
from webapi.queue.acts import Act, answer_limit
from webapi.queue.attempt import Attempt, Cancelled, Replaced
from webapi.queue.effects import outstanding


def effect(attempt: Attempt, key: str = "one") -> Effect:
    return effects(attempt.job_id)[key]


def test_what_was_planned_is_outstanding_in_the_order_asked(attempt: Attempt) -> None:
    assert [act.key for act in outstanding(["two", "one", "two"])] == ["two", "one"]
    assert [act.id for act in outstanding(["one"])] == [effect(attempt).id]


def test_what_was_put_off_comes_after_what_never_had_its_turn(attempt: Attempt) -> None:
    outstanding(["one", "two"])[0].defer(code=451, reply="later")
    assert [act.key for act in outstanding(["one", "two"])] == ["two", "one"]


def test_what_was_not_planned_is_planned_when_it_is_asked_for(attempt: Attempt) -> None:
    (act,) = outstanding(["three"])
    assert (effect(attempt, "three").id, effect(attempt, "three").state) == (act.id, "pending")


def test_the_mark_is_in_the_ledger_before_the_act(attempt: Attempt) -> None:
    outstanding(KEYS)[0].mark()
    marked = effect(attempt)
    assert (marked.state, marked.marked_by, marked.try_no) == ("inflight", attempt.number, 1)
    assert marked.marked_at is not None


@pytest.mark.parametrize(
    ("state", "is_settled", "maybe"),
    [
        (EffectState.DONE, True, False),
        (EffectState.REFUSED, True, False),
        (EffectState.PENDING, False, False),
        (EffectState.UNKNOWN, True, True),
    ],
)
def test_the_answer_is_kept(attempt: Attempt, state: EffectState, is_settled: bool, maybe: bool) -> None:
    act = outstanding(KEYS)[0]
    act.mark()
    act.settle(state, code=250, reply="r" * 2000, message_id="<1@x>")
    kept = effect(attempt)
    assert (kept.state, kept.code, kept.reply, kept.message_id) == (state, 250, "r" * 1000, "<1@x>")
    assert (kept.settled_at is not None, kept.maybe) == (is_settled, maybe)


def test_what_is_done_is_not_outstanding_and_cannot_be_marked_again(attempt: Attempt) -> None:
    act = outstanding(KEYS)[0]
    act.mark()
    act.settle(EffectState.DONE)
    assert [each.key for each in outstanding(KEYS)] == ["two"]
    with pytest.raises(Replaced):
        act.mark()
    assert (effect(attempt).state, effect(attempt).try_no) == ("done", 1)


def test_what_may_be_tried_again_is_outstanding_again_and_counted(attempt: Attempt) -> None:
    for _ in range(2):
        act = outstanding(["one"])[0]
        act.mark()
        act.settle(EffectState.PENDING, code=451)
    assert (effect(attempt).state, effect(attempt).try_no) == ("pending", 2)


def test_that_it_may_have_happened_is_not_forgotten_by_a_later_answer(attempt: Attempt) -> None:
    act = outstanding(KEYS)[0]
    act.mark()
    act.settle(EffectState.UNKNOWN)
    act.settle(EffectState.DONE, code=250)  # the reply came after all
    assert (effect(attempt).state, effect(attempt).maybe) == ("done", True)


def test_what_is_done_takes_no_other_answer(attempt: Attempt) -> None:
    act = outstanding(KEYS)[0]
    act.mark()
    act.settle(EffectState.DONE)
    act.settle(EffectState.PENDING)
    assert effect(attempt).state == "done"


@pytest.mark.parametrize("change_of", ["attempt", "lease", "state"])
def test_no_act_begins_when_the_job_is_not_surely_ours(attempt: Attempt, change_of: str) -> None:
    changes: dict[str, dict[str, object]] = {
        "attempt": {"attempt": attempt.number + 1},
        "lease": {"lease_until": after(answer_limit() - 1)},
        "state": {"state": State.FAILED, "finished_at": now(), "lease_until": None},
    }
    act = outstanding(KEYS)[0]
    change(attempt.job_id, **changes[change_of])
    with pytest.raises(Replaced):
        act.mark()
    assert attempt.lost.is_set()
    assert (effect(attempt).state, effect(attempt).try_no) == ("pending", 0)


@pytest.mark.parametrize(("decline", "state"), [(Act.refuse, "refused"), (Act.defer, "pending")])
def test_what_is_declined_before_the_act_was_never_marked(
    attempt: Attempt, decline: Callable[..., None], state: str
) -> None:
    decline(outstanding(KEYS)[0], code=550, reply="no")
    kept = effect(attempt)
    assert (kept.state, kept.code, kept.reply, kept.marked_by, kept.try_no) == (state, 550, "no", None, 0)


def test_no_act_begins_when_somebody_asked_for_the_job_to_stop(attempt: Attempt) -> None:
    act = outstanding(KEYS)[0]
    change(attempt.job_id, cancel_requested_at=now())
    with pytest.raises(Cancelled):
        act.mark()
    assert attempt.cancelled.is_set()
    assert (effect(attempt).state, effect(attempt).try_no) == ("pending", 0)


def test_an_attempt_that_was_replaced_declines_nothing(attempt: Attempt) -> None:
    act = outstanding(KEYS)[0]
    change(attempt.job_id, attempt=attempt.number + 1)
    act.refuse(code=550, reply="no")
    assert effect(attempt).state == "pending"


def test_without_a_ledger_everything_is_outstanding_and_nothing_is_written(owner: object) -> None:
    acts = outstanding(["one", "one", "two"])
    acts[0].mark()
    acts[0].settle(EffectState.DONE)
    assert [act.key for act in acts] == ["one", "two"]


def test_an_answer_is_waited_for_less_than_half_a_lease(attempt: Attempt) -> None:
    lease = job(attempt.job_id).lease_until
    assert lease is not None
    assert 0 < answer_limit() < 3
