"""A hint is what Celery's own producer would write, and a Redis that fails costs a bounded time and no error."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.servers import Broker
from tests.waiting import until
from webapi.queue.hints import Hint, Hints
from webapi.queue.servers import BREAK

LONGEST = 1.2  # seconds that an accepting request may wait for Redis
# A hint leaves out what Celery would fill with these. A worker reads both alike.
DEFAULTS: dict[str, Any] = {
    "shadow": None,
    "group_index": None,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(DATABASE_URL="sqlite://")


@pytest.fixture(params=["sqlite"])
def database_url() -> str:
    """Hints know no database."""
    return "sqlite://"


def hint() -> Hint:
    return Hint("email.send", "email", uuid4())


def taken(broker: Broker) -> dict[str, Any]:
    """The next message of the queue, as a worker takes it."""
    raw: Any = broker.client().rpop("{webapi}:email")
    message: dict[str, Any] = json.loads(raw)
    message["body"] = json.loads(base64.b64decode(message["body"]))
    return message


@pytest.fixture
def both(app: Flask, broker: Broker) -> tuple[dict[str, Any], dict[str, Any]]:
    """A hint, and the message of Celery's producer that means the same."""
    one = hint()
    app.extensions["celery"].send_task(one.kind, kwargs={"job": str(one.job_id)}, ignore_result=True)
    app.extensions["hints"].ring([one])
    celerys = taken(broker)
    return taken(broker), celerys


def test_a_hint_has_the_parts_that_celery_writes(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, celerys = both
    assert ours.keys() == celerys.keys()
    assert ours["properties"].keys() == celerys["properties"].keys()
    assert ours["headers"].keys() | DEFAULTS.keys() == celerys["headers"].keys()


def test_a_hint_says_what_celery_says(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, celerys = both
    own = {"id", "root_id", "origin", "webapi_mac"}  # of each message
    assert {**DEFAULTS, **without(ours["headers"], own)} == without(celerys["headers"], own)
    for part in ("body", "content-encoding", "content-type"):
        assert ours[part] == celerys[part]
    own = {"correlation_id", "delivery_tag", "reply_to", "delivery_mode"}  # Redis has no modes, and nobody replies
    assert without(ours["properties"], own) == without(celerys["properties"], own)


def without(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def test_the_ids_of_a_hint_are_those_of_one_message(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, _ = both
    ids = {ours["headers"]["id"], ours["headers"]["root_id"], ours["properties"]["correlation_id"]}
    assert {UUID(each).version for each in ids} == {7}
    assert len(ids) == 1


def test_many_hints_go_out_at_once_in_their_order(app: Flask, broker: Broker) -> None:
    hints = [hint() for _ in range(100)]
    assert app.extensions["hints"].ring(hints) == []
    found = [taken(broker)["body"][1]["job"] for _ in hints]
    assert found == [str(each.job_id) for each in hints]


def test_nothing_to_say_is_said_without_redis(app: Flask, broker: Broker) -> None:
    broker.stop()
    assert app.extensions["hints"].ring([]) == []


@pytest.fixture
def stopped(broker: Broker) -> Iterator[Broker]:
    broker.stop()
    yield broker
    if broker.process is None:
        broker.start()


@pytest.fixture
def frozen(broker: Broker) -> Iterator[Broker]:
    """A Redis that takes connections and answers nothing."""
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGSTOP)
    yield broker
    os.kill(broker.process.pid, signal.SIGCONT)


def seconds_of(call: Callable[[], bool]) -> tuple[bool, float]:
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
@pytest.mark.parametrize("known", [False, True], ids=["first connection", "connection that worked"])
def test_a_redis_that_fails_is_given_up_within_the_time(
    app: Flask, broker: Broker, fault: str, known: bool, request: pytest.FixtureRequest
) -> None:
    hints: Hints = app.extensions["hints"]
    if known:
        assert hints.ring([hint()]) == []
    request.getfixturevalue(fault)
    sent, seconds = seconds_of(lambda: hints.ring([hint()]) == [])
    assert not sent
    assert seconds < LONGEST


def test_after_a_failure_nobody_else_waits_for_a_while(app: Flask, frozen: Broker) -> None:
    hints: Hints = app.extensions["hints"]
    hints.ring([hint()])
    sent, seconds = seconds_of(lambda: hints.ring([hint()]) == [])
    assert not sent
    assert seconds < 0.1


def test_a_redis_that_is_back_is_used_again(app: Flask, stopped: Broker) -> None:
    hints: Hints = app.extensions["hints"]
    hints.ring([hint()])
    stopped.start()
    until(lambda: hints.ring([hint()]) == [], seconds=2 * BREAK, what="the breaker to close")
    assert stopped.client().llen("{webapi}:email") == 1


@pytest.mark.parametrize(("fault", "answer"), [("stopped", False), ("frozen", False), ("broker", True)])
def test_whether_redis_answers(app: Flask, fault: str, answer: bool, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(fault)
    found, seconds = seconds_of(app.extensions["hints"].answers)
    assert found is answer
    assert seconds < LONGEST


def test_a_redis_that_lost_its_memory_is_noticed_once(app: Flask, broker: Broker) -> None:
    hints: Hints = app.extensions["hints"]
    assert [hints.emptied(), hints.emptied()] == [hints.servers, []]
    broker.client().flushall()
    assert hints.emptied() == hints.servers
    hints.servers[0].forget_epoch()
    assert hints.emptied() == hints.servers
