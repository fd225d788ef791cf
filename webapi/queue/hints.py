"""Hints: messages that say "this kind has due work". Redis holds them; losing one costs time, never a job."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog import get_logger
from uuid_utils.compat import uuid7

from webapi.queue.settings import KEY_PREFIX
from webapi.queue.signing import HEADER, keys, sign

CONNECT_TIMEOUT = SOCKET_TIMEOUT = 0.5  # seconds; together they bound what an accepting request can wait
BREAK = 1.0  # seconds without a try after a failure, so that only the first request of a second waits
EPOCH_KEY = KEY_PREFIX + "epoch"

log = get_logger()


@dataclass(frozen=True)
class Hint:
    """What a message names: ids, and nothing else."""

    kind: str
    queue: str
    job_id: UUID


class Hints:
    """Sends hints to one Redis, in bounded time, and says honestly whether they arrived."""

    def __init__(self, app: Flask) -> None:
        self._key = keys(app)[0]
        self._open_until = 0.0
        self._origin = f"{os.getpid()}@{socket.gethostname()}"
        # No retry: a publish that timed out may have arrived, and the relay repeats what did not.
        self._client = redis.Redis.from_url(
            app.config["REDIS_URL"],
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def ring(self, hints: Sequence[Hint]) -> bool:
        """Send `hints` in one round trip. False when Redis did not confirm them; never raises."""
        if not hints or time.monotonic() < self._open_until:
            return not hints
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for hint in hints:
                    pipe.lpush(KEY_PREFIX + hint.queue, self.message(hint))
                pipe.execute()
        except (redis.RedisError, OSError) as error:
            self._open_until = time.monotonic() + BREAK
            log.warning("hints not sent", count=len(hints), error=type(error).__name__)
            return False
        return True

    def answers(self) -> bool:
        """Whether Redis answers just now."""
        try:
            return bool(self._client.ping())
        except (redis.RedisError, OSError):
            return False

    def waiting(self, queues: Sequence[str]) -> int:
        """How many hints lie in these queues. Raises redis.RedisError."""
        return sum(self.depths(queues).values())

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        """How many hints lie in each of these queues. Raises redis.RedisError."""
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(KEY_PREFIX + queue)
            return dict(zip(queues, pipe.execute(), strict=True))

    def eviction_policy(self) -> str:
        """Redis's maxmemory-policy; `unknown` where its administrator does not let us ask."""
        try:
            return str(self._client.config_get("maxmemory-policy").get("maxmemory-policy", "unknown"))
        except (redis.RedisError, OSError):
            return "unknown"

    def new_epoch(self) -> bool:
        """Whether Redis has lost its memory since the last time anybody asked. Raises redis.RedisError."""
        return bool(self._client.set(EPOCH_KEY, self._origin, nx=True))

    def forget_epoch(self) -> None:
        """Undo `new_epoch`: what it announced was not dealt with."""
        self._client.delete(EPOCH_KEY)

    def message(self, hint: Hint) -> bytes:
        """A Celery message, protocol version 2, as Celery's own producer writes it to Redis.

        https://docs.celeryq.dev/en/stable/internals/protocol.html#version-2
        """
        task_id, kwargs = str(uuid7()), {"job": str(hint.job_id)}
        mac = sign(self._key, hint.kind, task_id, [], kwargs, [None, None], [None] * 4)
        body: list[Any] = [[], kwargs, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
        envelope = {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py",
                "task": hint.kind,
                "id": task_id,
                "root_id": task_id,
                "parent_id": None,
                "group": None,
                "retries": 0,
                "timelimit": [None, None],
                "eta": None,
                "expires": None,
                "argsrepr": "()",
                "kwargsrepr": repr(kwargs),
                "origin": self._origin,
                "ignore_result": True,
                HEADER: mac,
            },
            "properties": {
                "correlation_id": task_id,
                "reply_to": "",
                "delivery_mode": 1,
                "delivery_info": {"exchange": "", "routing_key": hint.queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid7()),
            },
        }
        return json.dumps(envelope).encode()
