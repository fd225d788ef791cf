"""A channel whose Redis died closes quietly: what it had taken is rung again by the relay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests.servers import Broker
from webapi.queue.hints import Hint
from webapi.queue.transport import SteadyReading, steady


@pytest.fixture
def app(make_app: Callable[..., Flask], own_broker: Broker) -> Flask:
    return make_app(REDIS_URL=own_broker.url)


@pytest.fixture
def channel(app: Flask) -> Any:
    """One that has taken a hint and has not acknowledged it."""
    connection = app.extensions["celery"].connection_for_read()
    steady(connection)
    app.extensions["hints"].ring([Hint("data.process", "default", UUID(int=1))])
    channel = connection.channel()
    assert channel.basic_get("default"), "there is no hint"
    assert channel.qos._delivered
    return channel


def test_what_cannot_be_put_back_is_dropped_when_redis_is_dead(channel: Any, own_broker: Broker) -> None:
    own_broker.stop()
    channel.qos.restore_unacked_once()
    assert not channel.qos._delivered


def test_what_cannot_be_put_back_is_dropped_when_the_connection_is_gone_already(channel: Any) -> None:
    channel.connection.client = None  # as kombu leaves it when several connections are lost at once
    channel._pool = None
    channel.qos.restore_unacked_once()
    assert not channel.qos._delivered


def test_a_hint_that_was_taken_is_put_back_while_redis_lives(channel: Any, own_broker: Broker) -> None:
    channel.qos.restore_unacked_once()
    assert not channel.qos._delivered
    assert own_broker.client().llen("{webapi}:default") == 1


def test_a_connection_that_turns_to_another_sentinel_stays_steady(app: Flask, own_broker: Broker) -> None:
    connection = app.extensions["celery"].connection_for_read()
    steady(connection)
    connection.switch(own_broker.url)
    assert isinstance(connection.channel(), SteadyReading)
