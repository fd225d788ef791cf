"""What holds a whole kind back: its rate, its concurrency, a pause. Over all workers, whatever Redis forgets."""

from __future__ import annotations

import json
import time
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.queue.acting import Anything, Errands
from tests.queue.attempts import holding
from tests.queue.rows import accept, change, job
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Gate, Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import finish, gates, kind_named
from webapi.queue.attempt import Attempt
from webapi.queue.claim import claim
from webapi.queue.republish import republish
from webapi.queue.run import work

pytestmark = pytest.mark.usefixtures("owner")


def accepted(kind: str, count: int) -> None:
    """So many jobs, whose first hints are long gone."""
    for _ in range(count):
        payload = Errands(acts=[]) if kind.startswith("errand") else Anything()
        change(accept(kind, payload), published_at=after(-3600))


def claimed(kind: str, tries: int) -> list[Attempt]:
    return [attempt for attempt in (claim(kind_named(kind)) for _ in range(tries)) if attempt]


def hints(broker: Broker) -> int:
    return int(broker.client().llen("{webapi}:default"))


def test_a_rate_lets_two_seconds_of_it_pass_at_once_and_then_its_pace(owner: object) -> None:
    accepted("rated.fast", 90)
    began = time.monotonic()
    assert len(claimed("rated.fast", 90)) >= 40
    until(lambda: (claimed("rated.fast", 1), left())[1] == 0, seconds=20, what="the rest")  # none, if the 90 took long
    assert time.monotonic() - began >= (90 - 40) / 20 - 0.1


def left() -> int:
    return db.session.scalar(select(func.count()).where(Job.state == State.QUEUED)) or 0


def test_a_slow_rate_lets_one_pass_and_says_when_the_next_may(owner: object) -> None:
    accepted("rated.slow", 3)
    assert len(claimed("rated.slow", 3)) == 1
    assert 3590 < gates.opening(kind_named("rated.slow")).wait <= 3600


def test_a_hint_without_a_job_takes_no_place(owner: object) -> None:
    assert claimed("rated.slow", 3) == []
    accepted("rated.slow", 1)
    assert len(claimed("rated.slow", 1)) == 1


def race(ground: Flask, kind: str, runners: int) -> int:
    """How many of so many threads that claim at the same moment get a job."""
    db.session.remove()
    barrier, won = Barrier(runners), []

    def run() -> None:
        with ground.app_context():
            barrier.wait()
            won.extend(claimed(kind, 1))
            db.session.remove()

    threads = [Thread(target=run) for _ in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(won)


@pytest.mark.parametrize(("kind", "most"), [("rated.slow", 1), ("capped.two", 2)])
def test_workers_that_claim_at_the_same_moment_do_not_pass_together(ground: Flask, kind: str, most: int) -> None:
    accepted(kind, 8)
    assert race(ground, kind, 8) == most


def test_a_cap_counts_what_runs_and_a_place_that_is_free_again_is_rung_for(ground: Flask, broker: Broker) -> None:
    accepted("capped.two", 4)
    first, _ = claimed("capped.two", 4)
    broker.client().flushall()
    with holding(first):
        finish.succeeded(first, None)
    gates.ring_next(first.kind)
    assert hints(broker) == 1
    assert len(claimed("capped.two", 4)) == 1


def test_a_kind_with_a_cap_works_its_backlog_without_the_relay(ground: Flask, broker: Broker) -> None:
    accepted("capped.two", 5)
    broker.client().flushall()
    for _ in range(5):
        work(kind_named("capped.two"))
    assert (left(), hints(broker)) == (0, 4)


def test_the_relay_rings_for_as_many_as_may_pass_and_several_relays_for_no_more(ground: Flask, broker: Broker) -> None:
    accepted("rated.fast", 100)
    broker.client().flushall()
    gates.ring_waiting()
    assert hints(broker) == 40
    gates.ring_waiting()
    assert hints(broker) <= 42
    assert republish() == 0
    names = {json.loads(raw)["headers"]["task"] for raw in broker.client().lrange("{webapi}:default", 0, -1)}
    assert names == {"rated.fast"}


def test_the_relay_rings_again_for_a_hint_that_was_lost(ground: Flask, broker: Broker) -> None:
    job_id = accept("rated.slow", Anything())
    counts = []
    for age in (0, 3, 3, 5):  # seconds since the last hint; the second silence is twice as long as the first
        change(job_id, published_at=after(-age))
        gates.ring_waiting()
        counts.append(job(job_id).publish_count)
    assert (counts, hints(broker)) == ([0, 1, 1, 2], 3)


def test_a_shut_gate_is_not_rung_for(ground: Flask, broker: Broker) -> None:
    accepted("rated.slow", 2)
    claimed("rated.slow", 1)
    broker.client().flushall()
    gates.ring_waiting()
    assert hints(broker) == 0


def test_a_rate_survives_a_flush(ground: Flask, broker: Broker) -> None:
    accepted("rated.slow", 2)
    claimed("rated.slow", 1)
    broker.client().flushall()
    assert claimed("rated.slow", 1) == []


def test_a_paused_kind_rests_until_it_is_resumed(ground: Flask, broker: Broker) -> None:
    accepted("errand.hold", 1)
    gates.pause("errand.hold", "ada")
    assert (claimed("errand.hold", 1), republish(), list(gates.paused())) == ([], 0, ["errand.hold"])
    broker.client().flushall()
    gates.resume("errand.hold")
    assert (republish(), hints(broker), gates.paused()) == (1, 1, {})
    assert len(claimed("errand.hold", 1)) == 1


def test_a_pause_holds_no_other_kind(ground: Flask) -> None:
    accepted("errand.hold", 1)
    gates.pause("errand.resend", "ada")
    assert len(claimed("errand.hold", 1)) == 1


def test_a_second_pause_keeps_the_first_ones_time(ground: Flask) -> None:
    gates.pause("errand.hold", "ada")
    with writing() as session:
        session.execute(update(Gate).values(paused_at=after(-60)))
    gates.pause("errand.hold", "eve")
    assert db.session.scalars(select(Gate.paused_by)).one() == "ada"
    assert gates.opening(kind_named("errand.hold")).paused_at == gates.paused()["errand.hold"]
