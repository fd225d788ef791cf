"""A heartbeat keeps what is held, and tells an attempt that it is held no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from tests.queue.acting import Errands
from tests.queue.rows import accept, change, job
from tests.waiting import until
from webapi.models import State
from webapi.models.columns import after, now
from webapi.queue import kind_named
from webapi.queue.attempt import Attempt, Cancelled, Replaced
from webapi.queue.claim import claim
from webapi.queue.heartbeat import holding

LEASE = 2  # seconds, the least; a beat comes after a third of it


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(LEASE_SECONDS=LEASE)


@pytest.fixture
def attempt(owner_alone: object) -> Attempt:
    accept("errand.hold", Errands())
    claimed = claim(kind_named("errand.hold"))
    assert claimed is not None
    return claimed


def lease_of(attempt: Attempt) -> datetime:
    lease = job(attempt.job_id).lease_until
    assert lease is not None
    return lease


def test_a_lease_is_extended_while_it_is_held(attempt: Attempt) -> None:
    first, renewed = lease_of(attempt), attempt.renewed
    with holding(attempt):
        until(lambda: lease_of(attempt) > first, seconds=3, what="a heartbeat")
        until(lambda: attempt.renewed > renewed, seconds=3, what="the attempt to know of it")


def test_an_attempt_that_was_replaced_is_told(attempt: Attempt) -> None:
    change(attempt.job_id, attempt=attempt.number + 1)
    with holding(attempt):
        assert attempt.lost.wait(3)
    with pytest.raises(Replaced):
        attempt.still_mine()


def test_the_lease_of_the_one_who_replaced_it_is_not_touched(attempt: Attempt) -> None:
    change(attempt.job_id, attempt=attempt.number + 1, lease_until=after(0.5))
    theirs = lease_of(attempt)
    with holding(attempt):
        assert attempt.lost.wait(3)
    assert lease_of(attempt) == theirs


def test_an_attempt_of_a_job_that_is_over_is_told(attempt: Attempt) -> None:
    change(attempt.job_id, state=State.CANCELLED, finished_at=after(0), lease_until=None)
    with holding(attempt):
        assert attempt.lost.wait(3)


def test_an_attempt_that_is_to_stop_is_told_and_keeps_its_lease(attempt: Attempt) -> None:
    change(attempt.job_id, cancel_requested_at=now())
    first = lease_of(attempt)
    with holding(attempt):
        assert attempt.cancelled.wait(3)
    assert lease_of(attempt) > first
    with pytest.raises(Cancelled):
        attempt.still_mine()


def test_two_attempts_of_one_process_beat_together(attempt: Attempt) -> None:
    accept("errand.hold", Errands())
    other = claim(kind_named("errand.hold"))
    assert other is not None
    first = [lease_of(each) for each in (attempt, other)]
    with holding(attempt), holding(other):
        until(lambda: [lease_of(each) for each in (attempt, other)] > first, seconds=3, what="a heartbeat")
        until(lambda: lease_of(other) > first[1], seconds=3, what="the other's")


def test_what_is_released_is_not_renewed(attempt: Attempt) -> None:
    with holding(attempt):
        pass
    accept("errand.hold", Errands())
    other = claim(kind_named("errand.hold"))
    assert other is not None
    left, first = lease_of(attempt), lease_of(other)
    with holding(other):
        until(lambda: lease_of(other) > first, seconds=3, what="a heartbeat")
    assert lease_of(attempt) == left
