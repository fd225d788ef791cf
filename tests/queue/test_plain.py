"""A plain Celery task: the function as it is, and the doors of Celery beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery.exceptions import Ignore
from flask import Flask

from tests.servers import Broker
from webapi.queue import task
from webapi.queue.signing import HEADER
from webapi.tasks.plain_process_data import process_data

pytestmark = pytest.mark.usefixtures("owner")


def messages(broker: Broker) -> list[dict[str, Any]]:
    return [json.loads(raw) for raw in broker.client().lrange("{webapi}:default", 0, -1)]


def test_the_function_stays_a_plain_function() -> None:
    @task("plain.add", queue="slow", max_retries=2)
    def add(left: int, right: int = 1) -> int:
        """Add two numbers."""
        return left + right

    assert (add(1), add(1, right=2), add.__doc__) == (2, 3, "Add two numbers.")
    assert (add.queue, add.options) == ("slow", {"ignore_result": False, "max_retries": 2})


def test_delay_sends_one_signed_message_to_its_queue(broker: Broker) -> None:
    sent = process_data.delay([1, 2])
    (message,) = messages(broker)
    assert (message["headers"]["task"], message["headers"]["id"]) == ("process_data", sent.id)
    assert message["headers"][HEADER].startswith("v1.")


def test_a_countdown_is_celerys(broker: Broker) -> None:
    process_data.apply_async(args=[[1]], countdown=10)
    assert messages(broker)[0]["headers"]["eta"] is not None


def test_it_runs_in_this_process_like_any_task(ground: Flask) -> None:
    answer = process_data.task.apply(args=[[1, 2, 3]]).get()
    assert answer["rows"] == 3


def test_a_worker_drops_a_message_without_our_mac(ground: Flask) -> None:
    """As Celery calls it: with the request of a message that came in."""
    celery_task = ground.extensions["celery"].tasks["process_data"]
    celery_task.push_request(id="an-id", headers={}, args=[[1]], kwargs={}, called_directly=False, is_eager=False)
    try:
        with pytest.raises(Ignore):
            celery_task([1])
    finally:
        celery_task.pop_request()
