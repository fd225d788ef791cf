"""A job's effects as rows: planned before they are tried, counted when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.queue.acting import Errands
from tests.queue.rows import accept, effects
from webapi.models import Effect, EffectState
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.receipts import plan, settle_inflight, tally

pytestmark = pytest.mark.usefixtures("owner")
DONE, PENDING, REFUSED, UNKNOWN, INFLIGHT = (
    EffectState.DONE,
    EffectState.PENDING,
    EffectState.REFUSED,
    EffectState.UNKNOWN,
    EffectState.INFLIGHT,
)


def test_each_key_is_planned_once_with_its_kind() -> None:
    job_id = accept("errand.hold", Errands(acts=[]))
    with writing() as session:
        plan(session, job_id, replace(kind_named("errand.hold"), effect="call"), ["a", "b", "a"])
    planned = effects(job_id)
    assert {key: (each.state, each.kind, each.try_no) for key, each in planned.items()} == {
        "a": ("pending", "call", 0),
        "b": ("pending", "call", 0),
    }


def test_nothing_to_plan_is_nothing_planned() -> None:
    assert effects(accept("errand.hold", Errands(acts=[]))) == {}


@pytest.mark.parametrize(
    ("states", "maybe", "unanswered", "all_done"),
    [
        ([], False, 0, True),
        ([DONE, DONE], False, 0, True),
        ([DONE, DONE], True, 0, True),
        ([DONE, PENDING], False, 0, False),
        ([DONE, REFUSED], False, 0, False),
        ([DONE, UNKNOWN], False, 1, False),
        ([INFLIGHT, UNKNOWN], False, 2, False),
        ([PENDING, REFUSED], True, 2, False),  # some try of each ended without an answer
    ],
)
def test_what_counts_as_unanswered(states: list[EffectState], maybe: bool, unanswered: int, all_done: bool) -> None:
    keys = [str(number) for number in range(len(states))]
    job_id = accept("errand.hold", Errands(acts=keys))
    with writing() as session:
        for key, state in zip(keys, states, strict=True):
            session.execute(update(Effect).where(Effect.effect_key == key).values(state=state, maybe=maybe))
        found = tally(session, job_id)
    assert (found.unanswered, found.all_done, found.total) == (unanswered, all_done, len(states))


def test_a_job_that_ends_leaves_nothing_in_flight() -> None:
    ended, other = (accept("errand.hold", Errands(acts=["one", "two"])) for _ in range(2))
    with writing() as session:
        session.execute(update(Effect).where(Effect.effect_key == "one").values(state=INFLIGHT))
        settle_inflight(session, ended)
    assert {key: (each.state, each.maybe) for key, each in effects(ended).items()} == {
        "one": ("unknown", True),
        "two": ("pending", False),
    }
    assert effects(other)["one"].state == "inflight"
