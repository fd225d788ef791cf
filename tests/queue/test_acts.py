"""Many acts in one transaction: all are marked or none, and each is settled by its own mark."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at, give_up
from tests.queue.rows import accept, change, effects, states
from webapi.models import Effect, EffectState
from webapi.models.columns import now
from webapi.queue import acts, finish
from webapi.queue.acts import Act, Receipt
from webapi.queue.attempt import Cancelled, Replaced
from webapi.queue.effects import outstanding

pytestmark = pytest.mark.usefixtures("owner")
KEYS = [f"act {number}" for number in range(6)]


@pytest.fixture
def job_id(owner: object) -> UUID:
    return accept("errand.hold", Errands(acts=KEYS))


def rows(job_id: UUID) -> list[Effect]:
    found = effects(job_id)
    return [found[key] for key in KEYS]


def summary(job_id: UUID) -> list[tuple[str, int | None]]:
    return [(str(row.state), row.code) for row in rows(job_id)]


def test_all_are_marked_together_and_each_knows_its_try(job_id: UUID) -> None:
    with attempt_at() as attempt:
        left = outstanding(KEYS)
        acts.mark(left)
        assert [act.try_no for act in left] == [1] * 6
        assert {(row.state, row.marked_by, row.try_no) for row in rows(job_id)} == {("inflight", attempt.number, 1)}


@pytest.mark.parametrize("position", range(6))
def test_none_is_marked_when_one_must_not_be(job_id: UUID, position: int) -> None:
    with attempt_at():
        left = outstanding(KEYS)
        left[position].mark()
        left[position].settle(EffectState.DONE, code=250)
        with pytest.raises(Replaced):
            acts.mark(left)
        others = [row for row in rows(job_id) if row.effect_key != KEYS[position]]
        assert {(row.state, row.try_no, row.marked_by) for row in others} == {("pending", 0, None)}


def test_none_is_marked_when_one_is_not_there(job_id: UUID) -> None:
    with attempt_at() as attempt, pytest.raises(Replaced):
        acts.mark([*outstanding(KEYS), Act("x", uuid4(), attempt)])
    assert summary(job_id) == [("pending", None)] * 6


def test_none_is_marked_when_the_job_is_to_stop_or_is_another_attempts(job_id: UUID) -> None:
    with attempt_at():
        left = outstanding(KEYS)
        change(job_id, cancel_requested_at=now())
        with pytest.raises(Cancelled):
            acts.mark(left)
    with pytest.raises(Cancelled):
        acts.mark(left)
    assert summary(job_id) == [("pending", None)] * 6


def test_receipts_of_every_kind_are_settled_at_once(job_id: UUID) -> None:
    with attempt_at():
        left = outstanding(KEYS)
        acts.mark(left)
        ends = [
            Receipt(left[0], EffectState.DONE, 250, "2.0.0 stored", "<0@x>"),
            Receipt(left[1], EffectState.REFUSED, 554, "5.6.0 spam", "<1@x>"),
            Receipt(left[2], EffectState.PENDING, 452, "4.3.1 full", "<2@x>"),
            Receipt(left[3], EffectState.UNKNOWN, None, "", "<3@x>"),
            Receipt(left[4], EffectState.DONE, 200, "ü" * 2000, ""),
        ]
        acts.settle(ends)
    assert summary(job_id) == [
        ("done", 250), ("refused", 554), ("pending", 452), ("unknown", None), ("done", 200), ("inflight", None),
    ]  # fmt: skip
    found = rows(job_id)
    assert [row.maybe for row in found] == [False, False, False, True, False, False]
    assert [row.settled_at is not None for row in found] == [True, True, False, True, True, False]
    assert [row.message_id for row in found[:4]] == ["<0@x>", "<1@x>", "<2@x>", "<3@x>"]
    assert found[4].reply == "ü" * 1000


def test_receipts_of_every_kind_are_declined_at_once(job_id: UUID) -> None:
    with attempt_at():
        left = outstanding(KEYS)
        left[3].mark()
        acts.decline(
            [
                Receipt(left[0], EffectState.REFUSED, 550, "nobody"),
                Receipt(left[1], EffectState.PENDING, 450, "later"),
                Receipt(left[2], EffectState.HELD, None, "a rule"),
                Receipt(left[3], EffectState.REFUSED, 550, "too late: it is marked"),
            ]
        )
    assert summary(job_id)[:4] == [("refused", 550), ("pending", 450), ("held", None), ("inflight", None)]
    assert [row.settled_at is not None for row in rows(job_id)[:4]] == [True, False, True, False]


def test_what_an_older_attempt_says_of_a_newer_ones_acts_is_not_written(job_id: UUID) -> None:
    with attempt_at() as older:
        old = outstanding(KEYS)
        give_up(older)
    with attempt_at():
        new = outstanding(KEYS)
        acts.mark(new)
        acts.settle([Receipt(act, EffectState.DONE, 250) for act in old])
        acts.decline([Receipt(act, EffectState.REFUSED, 550) for act in old])
        assert summary(job_id) == [("inflight", None)] * 6
        acts.settle([Receipt(act, EffectState.PENDING, 450) for act in new])
        acts.decline([Receipt(act, EffectState.REFUSED, 550) for act in old])
    assert summary(job_id) == [("pending", 450)] * 6


def test_what_an_earlier_try_of_the_same_attempt_says_is_not_written(job_id: UUID) -> None:
    with attempt_at():
        earlier = outstanding(KEYS)
        acts.mark(earlier)
        acts.settle([Receipt(act, EffectState.PENDING, 450) for act in earlier])
        acts.mark(outstanding(KEYS))
        acts.settle([Receipt(act, EffectState.DONE, 250) for act in earlier])
    assert summary(job_id) == [("inflight", 450)] * 6


def test_late_receipts_refine_what_was_judged_unknown_and_the_job_with_it(job_id: UUID) -> None:
    with attempt_at() as first:
        left = outstanding(KEYS)
        acts.mark(left)
        give_up(first)
    with attempt_at() as second:
        assert outstanding(KEYS) == []
        finish.succeeded(second, None)
    assert (states(job_id)[-1], summary(job_id)) == ("uncertain", [("unknown", None)] * 6)
    acts.settle([Receipt(act, EffectState.REFUSED, 550) for act in left[:2]])
    assert summary(job_id) == [("unknown", None)] * 6
    acts.settle([Receipt(act, EffectState.DONE, 250 + number) for number, act in enumerate(left)])
    assert summary(job_id) == [("done", 250 + number) for number in range(6)]
    assert states(job_id)[-1] == "succeeded"
    assert all(row.maybe for row in rows(job_id))


def test_nothing_at_all_is_marked_settled_and_declined(job_id: UUID) -> None:
    acts.mark([])
    acts.settle([])
    acts.decline([])
    assert summary(job_id) == [("pending", None)] * 6
