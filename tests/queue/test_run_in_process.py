"""What one hint brings about, step by step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from flask import Flask, current_app

from tests.queue.acting import HOOKS, WORLD, Anything, Step
from tests.queue.rows import accept, job
from tests.servers import Broker
from webapi.queue import kind_named
from webapi.queue.children import share_stop, stop_soon
from webapi.queue.run import SPELL, work_off

pytestmark = pytest.mark.usefixtures("owner")
KINDS = ["quick.step", "single.step"]


@pytest.fixture(autouse=True)
def _clean(ground: Flask) -> Iterator[None]:
    ground.extensions.pop("pace", None)
    yield
    HOOKS.clear()
    ground.extensions.pop("stopping", None)


def hints(broker: Broker) -> list[str]:
    return [json.loads(raw)["headers"]["task"] for raw in broker.client().lrange("{webapi}:default", 0, -1)]


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_due_is_done_and_no_hint_is_left_behind(broker: Broker, kind: str) -> None:
    for number in range(3):
        accept(kind, Step(name=str(number)))
    broker.client().flushall()
    work_off(kind_named(kind))
    assert [str(number) for number in range(3)] == WORLD
    assert hints(broker) == []


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_spell_other_kinds_have_their_turn_and_a_hint_is_left_behind(broker: Broker, kind: str) -> None:
    HOOKS["slow"] = lambda: time.sleep(SPELL)
    jobs = [accept(kind, Step(name=str(number), hook="slow")) for number in range(3)]
    broker.client().flushall()
    work_off(kind_named(kind))
    assert WORLD == ["0"]
    assert set(hints(broker)) == {kind}
    assert [job(each).state for each in jobs] == ["succeeded", "queued", "queued"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_is_to_stop_takes_no_more(ground: Flask, kind: str) -> None:
    share_stop(ground)
    HOOKS["stop"] = lambda: stop_soon(current_app)
    jobs = [accept(kind, Step(name=str(number), hook="stop")) for number in range(3)]
    work_off(kind_named(kind))
    assert [job(each).state for each in jobs] == ["succeeded", "queued", "queued"]


def test_a_gate_lets_one_pass_for_each_hint(broker: Broker) -> None:
    jobs = [accept("rated.fast", Anything()) for _ in range(2)]
    work_off(kind_named("rated.fast"))
    assert [job(each).state for each in jobs] == ["succeeded", "queued"]
