"""The relay: what is due is queued, what Redis lost is rung again, however many relays run."""

from __future__ import annotations

import json
from collections import Counter
from threading import Thread
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.kinds.faulty import Note
from tests.locks import in_the_way
from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import accept, add_owner, change, job, states
from tests.servers import Broker
from webapi.errors import Transient
from webapi.extensions import db
from webapi.models import State
from webapi.models.columns import after
from webapi.queue import finish
from webapi.queue.ledger import add_open
from webapi.queue.relay import Relay, wake_all_due
from webapi.queue.republish import LONGEST_SILENCE, SILENCE

pytestmark = pytest.mark.usefixtures("owner")
QUEUE = "{webapi}:default"


@pytest.fixture
def relay(ground: Flask, broker: Broker) -> Relay:
    """A relay that knows this Redis already."""
    ground.extensions["hints"].emptied()
    return Relay(ground)


def rung(broker: Broker) -> Counter[str]:
    """How often each job is named in Redis."""
    messages = [json.loads(raw) for raw in broker.client().lrange(QUEUE, 0, -1)]
    return Counter(each["headers"]["kwargsrepr"].split("'")[3] for each in messages)


def due(**values: object) -> UUID:
    """A job that was for later, and later is now."""
    job_id = accept("errand.hold", Errands(), delay=60)
    change(job_id, run_at=after(-1), **values)
    return job_id


def lost(seconds: float | None = None, count: int = 0) -> UUID:
    """A queued job that was rung so many seconds ago, or never."""
    job_id = accept("errand.hold", Errands())
    change(job_id, published_at=None if seconds is None else after(-seconds), publish_count=count)
    return job_id


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
def test_two_relays_that_wake_jobs_of_the_same_owners_do_not_wait_for_each_other(ground: Flask) -> None:
    """One owner's job was for later, the other's is tried again: their owners are locked in one order all the same."""
    one, two = sorted(add_owner(uuid4(), f"{number}@example.com").id for number in range(2))
    jobs = [accept("errand.hold", Errands(), delay=60, owner_id=owner_id) for owner_id in (two, one)]
    change(jobs[0], run_at=after(-1))
    change(jobs[1], run_at=after(-1), state=State.RETRYING)
    with in_the_way(ground, lambda session: add_open(session, one, 0), lambda session: add_open(session, two, 0)):
        wake_all_due()
    assert [job(job_id).state for job_id in jobs] == ["queued", "queued"]


def test_what_is_due_is_queued_and_rung(relay: Relay, broker: Broker) -> None:
    job_id = due()
    relay.run_once()
    assert (job(job_id).state, states(job_id)) == ("queued", ["scheduled", "queued"])
    assert rung(broker) == {str(job_id): 1}


def test_what_is_not_due_is_left_alone(relay: Relay, broker: Broker) -> None:
    job_id = accept("errand.hold", Errands(), delay=60)
    relay.run_once()
    assert (job(job_id).state, rung(broker)) == ("scheduled", {})


def test_what_is_to_be_tried_again_is_queued_when_its_wait_is_over(relay: Relay) -> None:
    job_id = accept("test.flaky", Note())
    with attempt_at("test.flaky") as attempt:
        finish.failed(attempt, Transient("Come back."))
    change(job_id, run_at=after(0))
    relay.run_once()
    assert states(job_id) == ["queued", "running", "retrying", "queued"]


def test_a_dead_worker_and_its_return_are_one_pass(relay: Relay) -> None:
    job_id = accept("errand.hold", Errands())
    with attempt_at():
        pass
    change(job_id, lease_until=after(-60))
    relay.run_once()
    assert states(job_id) == ["queued", "running", "retrying", "queued"]


def test_what_was_never_rung_is_rung(relay: Relay, broker: Broker) -> None:
    job_id = lost()
    broker.client().delete(QUEUE)
    relay.run_once()
    assert rung(broker) == {str(job_id): 1}
    assert (job(job_id).published_at is not None, job(job_id).publish_count) == (True, 1)


@pytest.mark.parametrize(
    ("silence", "count", "again"),
    [
        (SILENCE - 5, 0, False),
        (SILENCE + 5, 0, True),
        (SILENCE + 5, 1, False),
        (2 * SILENCE + 5, 1, True),
        (LONGEST_SILENCE - 5, 20, False),
        (LONGEST_SILENCE + 5, 20, True),
    ],
)
def test_the_longer_a_hint_is_silent_the_rarer_it_is_repeated(
    relay: Relay, broker: Broker, silence: float, count: int, again: bool
) -> None:
    lost(silence, count)
    broker.client().delete(QUEUE)
    relay.run_once()
    assert bool(rung(broker)) is again


def test_after_flushall_every_queued_job_is_rung_within_one_pass(relay: Relay, broker: Broker) -> None:
    jobs = {str(accept("errand.hold", Errands())) for _ in range(20)}
    broker.client().flushall()
    relay.run_once()
    assert rung(broker) == dict.fromkeys(jobs, 1)


def test_a_pass_that_finds_nothing_says_nothing(relay: Relay, broker: Broker) -> None:
    accept("errand.hold", Errands())
    before = rung(broker)
    for _ in range(3):
        relay.run_once()
    assert rung(broker) == before


def test_many_relays_at_once_wake_each_job_once(ground: Flask, relay: Relay, broker: Broker) -> None:
    jobs = [due() for _ in range(40)]
    db.session.remove()
    threads = [Thread(target=Relay(ground).run_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rung(broker) == {str(job_id): 1 for job_id in jobs}
    assert {tuple(states(job_id)) for job_id in jobs} == {("scheduled", "queued")}


def test_expiry_comes_before_waking(relay: Relay, broker: Broker) -> None:
    job_id = due(deadline_at=after(-1))
    relay.run_once()
    assert (job(job_id).state, rung(broker)) == ("expired", {})


def test_a_relay_stops_when_it_is_told_to(relay: Relay) -> None:
    relay.stop()
    thread = Thread(target=relay.run)
    thread.start()
    thread.join(2)
    assert not thread.is_alive()
