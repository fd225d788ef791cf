"""What figures make of a goal."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import accept, latency, mail, overload, work
from benchmarks.draining import Drained
from benchmarks.rivals import CELERY, DRAMATIQ_ROWS, HUEY_ROWS, NOOP
from benchmarks.slices import Slices


def sliced(rate: float, p99: float) -> Slices:
    return Slices([rate / 2, rate, rate * 9], [0.01] * 3, [p99] * 3)


@pytest.mark.parametrize(
    ("rate", "p99", "batch", "met"),
    [(3000, 0.1, 20_000, [True, True]), (3000, 0.3, 20_000, [False, True]), (2999, 0.1, 19_999, [False, False])],
)
def test_accepting_has_to_be_quicker_and_its_slowest_answers_too(
    rate: float, p99: float, batch: float, met: list[bool]
) -> None:
    peer = {CELERY.name: sliced(1000, 0.2), accept.KEYED: sliced(rate, p99), accept.BATCH: sliced(batch, 1)}
    assert [goal.met for goal in accept.goals(peer)] == met


@pytest.mark.parametrize(("ours", "met"), [([2.0] * 99 + [4.0], True), ([2.0] * 98 + [5.0] * 2, False)])
def test_one_job_has_to_be_over_as_soon_as_a_task_at_the_median_and_at_the_99th_of_100(
    ours: list[float], met: bool
) -> None:
    peer = [3.0] * 98 + [4.0] * 2
    found = {latency.LEDGER: ours, latency.TOLD: ours, latency.DELAY: peer, CELERY.name: peer}
    assert latency.goal(found).met is met


@pytest.mark.parametrize(
    ("states", "met"),
    [
        ({"succeeded": 10}, True),
        ({"succeeded": 11}, True),  # of a connection that broke before its answer
        ({"succeeded": 9}, False),
        ({"succeeded": 10, "failed": 1}, False),
    ],
)
def test_what_was_accepted_has_to_be_in_the_ledger_and_over(states: dict[str, int], met: bool) -> None:
    found: dict[str, Any] = {"accepted": 10, "states": states, "rate": 100.0}
    assert overload.goal(found).met is met


@pytest.mark.parametrize(("p99", "met"), [(0.999, True), (1.0, False), (None, False)])
def test_who_is_accepted_under_overload_does_not_wait_for_a_second(p99: float | None, met: bool) -> None:
    assert overload.in_time({"p99": p99}).met is met


@pytest.mark.parametrize(("delay", "met"), [(0.0, True), (0.01, False)])
def test_mails_through_a_round_trip_have_a_goal_of_their_own(delay: float, met: bool) -> None:
    goal = mail.goal({mail.OURS: [30.0], mail.SEND: [10.0]}, delay)
    assert (goal.met, goal.beside) == (met, "3.0 × 10/s")


def test_working_has_a_ratio_for_each_peer() -> None:
    rates = {work.SETS: 4000, NOOP.name: 1000, HUEY_ROWS.name: 2001, DRAMATIQ_ROWS.name: 2000}
    found = {name: [Drained(rate * share, 1, 1) for share in (0.5, 1, 3)] for name, rate in rates.items()}
    assert [(goal.met, goal.beside) for goal in work.goals(found)] == [
        (True, "4.00 × 1,000/s"),
        (False, "2.00 × 2,001/s"),
        (True, "2.00 × 2,000/s"),
    ]
