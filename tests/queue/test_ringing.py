"""A job is accepted without Redis too; what could not be rung is left to the relay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask

from tests.queue.acting import Errands
from tests.queue.rows import accept, change, job
from tests.servers import Broker
from tests.waiting import until
from webapi.models import State
from webapi.models.columns import after
from webapi.queue.hints import Hint
from webapi.queue.relay import Relay
from webapi.queue.ringing import ring

pytestmark = pytest.mark.usefixtures("owner_alone")


@pytest.fixture
def redis_away(broker: Broker) -> Iterator[None]:
    broker.stop()
    yield
    broker.start()


@pytest.mark.usefixtures("redis_away")
def test_a_job_is_accepted_and_marked_as_not_rung() -> None:
    job_id = accept("errand.hold", Errands())
    assert (job(job_id).state, job(job_id).published_at) == ("queued", None)


def test_a_job_that_is_over_meanwhile_is_not_marked(broker: Broker) -> None:
    job_id = accept("errand.hold", Errands())
    change(job_id, state=State.SUCCEEDED, finished_at=datetime.now(UTC))
    broker.stop()
    try:
        ring([Hint("errand.hold", "default", job_id)])
    finally:
        broker.start()
    assert job(job_id).published_at is not None


def test_while_redis_is_away_the_relay_takes_nothing_for_rung(app: Flask, broker: Broker) -> None:
    job_id = accept("errand.hold", Errands(), delay=60)
    change(job_id, run_at=after(-1))
    broker.stop()
    try:
        Relay(app).run_once()
    finally:
        broker.start()
    assert (job(job_id).state, job(job_id).published_at) == ("queued", None)


def test_when_redis_is_back_the_relay_rings_what_waits(app: Flask, broker: Broker) -> None:
    broker.stop()
    job_id = accept("errand.hold", Errands())
    broker.start()

    def rung() -> bool:
        Relay(app).run_once()
        return job(job_id).published_at is not None

    until(rung, seconds=3, what="the relay to ring")
    assert broker.client().llen("{webapi}:default") == 1
