"""Counting requests: a window that slides, several processes, and a Redis that is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.servers import Broker
from webapi.services.rates import Rates

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Clock:
    now = 6000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hits(rates: Rates, count: int, name: str = "ada", limit: int = 10) -> list[bool]:
    return [rates.hit(name, limit).wait == 0 for _ in range(count)]


def test_so_many_are_let_through_in_a_minute_and_each_has_their_own(app: Flask, clock: Clock) -> None:
    rates = Rates(app, clock)
    assert hits(rates, 12) == [True] * 10 + [False] * 2
    assert hits(rates, 1, "eve") == [True]


def test_whoever_waits_as_long_as_they_are_told_is_let_through(app: Flask, clock: Clock) -> None:
    rates = Rates(app, clock)
    for begin in (0.0, 41.0, 59.5):
        clock.now = 60_000 + 600 * begin + begin
        hits(rates, 10, f"at {begin}")
        wait = rates.hit(f"at {begin}", 10).wait
        assert wait > 0
        clock.now += wait
        assert hits(rates, 2, f"at {begin}") == [True, False]


def test_no_sixty_seconds_see_much_more_than_the_limit(app: Flask, clock: Clock) -> None:
    """The minute before counts evenly, so that a burst at its end is forgotten a little early and never doubled."""
    rates = Rates(app, clock)
    clock.now = 6000 + 59
    hits(rates, 100, limit=100)
    clock.now += 2
    assert sum(hits(rates, 100, limit=100)) <= 2


def test_what_is_left_is_told(app: Flask, clock: Clock) -> None:
    rates = Rates(app, clock)
    assert [(each.left, each.reset) for each in (rates.hit("ada", 3), rates.hit("ada", 3))] == [(2, 60), (1, 60)]
    assert rates.look("ada", 3).left == 1


def test_processes_hear_of_one_another_within_a_second(app: Flask, broker: Broker, clock: Clock) -> None:
    one, two = Rates(app, clock), Rates(app, clock)
    assert hits(one, 6) == hits(two, 6) == [True] * 6
    clock.now += 1.1
    for each in (one, two, one):
        each.hit("ada", 10)
        clock.now += 1.1
    assert hits(one, 1) == hits(two, 1) == [False]
    assert [key for key in broker.client().keys("*rate*") if broker.client().ttl(key) > 0]


def test_without_redis_each_counts_by_itself(make_app: Callable[..., Flask], clock: Clock) -> None:
    rates = Rates(make_app(REDIS_URL="redis://127.0.0.1:1/0"), clock)
    clock.now += 1.1
    assert hits(rates, 11) == [True] * 10 + [False]
