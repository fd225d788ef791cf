"""Celery's consumer and kombu's Redis channel, made steady: neither rubbish in Redis nor its death ends a worker."""

from __future__ import annotations

from typing import Any

import redis
from celery.utils.log import get_logger as celery_logger
from celery.worker.consumer import Consumer
from structlog import get_logger

from webapi import metrics

# What decoding and unpacking raise for bytes that are no message of Celery's. Redis's own errors are none of these.
NO_MESSAGE = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)

log = get_logger()
logger = celery_logger(__name__)


class SteadyReading:
    """Beside a channel of kombu's: drops what is no message, instead of ending the worker's whole loop."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except NO_MESSAGE as error:
            metrics.NO_MESSAGE.add()
            log.warning("message dropped", why="no message", error=type(error).__name__)
            return True


class SteadyRestoring:
    """Beside kombu's QoS: what cannot be put back into Redis is dropped, instead of ending the worker."""

    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)  # type: ignore[misc]
        except (redis.RedisError, OSError, AttributeError) as error:  # AttributeError: the connection is gone already
            log.warning("hints not put back; the relay rings again", error=type(error).__name__)
            self._delivered: Any
            self._delivered.clear()


class SteadyConsumer(Consumer):  # type: ignore[misc]
    """Celery's consumer, which would wait up to 30 s between two tries to reach Redis; this one at most 2.

    Where remote control is on, it can be asked to tell of its tasks, as Flower asks. Started without gossip and
    heartbeats, as ours are, Celery would leave out what tells of them; so there it says that it lives, every 2 s.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        if options["app"].conf.worker_enable_remote_control:
            options["worker_options"] = {**options["worker_options"], "without_heartbeat": False}
        super().__init__(*args, **options)

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        """Of a newer version's kind. Celery would log the whole message as an error; the job waits in the ledger."""
        name = str((message.headers or {}).get("task"))[:100]
        log.warning("message dropped", why="this version has no such kind", task=name)
        message.reject_log_error(logger, self.connection_errors)

    def ensure_connected(self, conn: Any) -> Any:
        original = conn.ensure_connection

        def ensure(*args: Any, **kwargs: Any) -> Any:
            return original(*args, **{"interval_start": 0.5, "interval_step": 0.5, "interval_max": 2, **kwargs})

        conn.ensure_connection = ensure
        steady(conn)
        return super().ensure_connected(conn)


def steady(conn: Any) -> None:
    """Let the channels that a connection of kombu's will open be steady ones, also once it asks another sentinel."""
    make = conn.create_transport
    conn.create_transport = lambda: _steadied(make())  # kombu makes a new one for each sentinel that it turns to
    _steadied(conn.transport)


def _steadied(transport: Any) -> Any:
    channel = transport.Channel
    if not issubclass(channel, SteadyReading):
        qos = type("SteadyQoS", (SteadyRestoring, channel.QoS), {})
        transport.Channel = type("SteadyChannel", (SteadyReading, channel), {"QoS": qos})
    return transport
