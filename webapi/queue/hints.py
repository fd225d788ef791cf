"""Hints: messages that say "this kind has due work". Redis holds them; losing one costs time, never a job."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
from flask import Flask
from uuid_utils.compat import uuid7

from webapi.queue.servers import Server, servers
from webapi.queue.signing import HEADER, keys, sign


@dataclass(frozen=True)
class Hint:
    """What a message names: ids, and nothing else."""

    kind: str
    queue: str
    job_id: UUID


class Hints:
    """Sends hints, each to the server of its queue, in bounded time, and says honestly which of them arrived."""

    def __init__(self, app: Flask) -> None:
        self._key = keys(app)[0]
        self._origin = f"{os.getpid()}@{socket.gethostname()}"
        self.servers = servers(app)
        self._own = {queue: server for server in self.servers for queue in server.queues}

    @property
    def elsewhere(self) -> list[str]:
        """The queues whose hints do not lie on the first server."""
        return list(self._own)

    def at(self, queue: str) -> Server:
        """The server on which the hints of a queue lie."""
        return self._own.get(queue, self.servers[0])

    def ring(self, hints: Sequence[Hint]) -> list[Hint]:
        """Send hints, in one round trip to each server. Returns those that were not confirmed; never raises."""
        unsent: list[Hint] = []
        for server in self.servers:
            mine = [hint for hint in hints if self.at(hint.queue) is server]
            if mine and not server.push([(hint.queue, self.message(hint)) for hint in mine]):
                unsent += mine
        return unsent

    def answering(self) -> list[Server]:
        """The servers that answer just now."""
        return [server for server in self.servers if server.answers()]

    def answers(self) -> bool:
        """Whether every server answers just now."""
        return self.answering() == self.servers

    def waiting(self, queues: Sequence[str]) -> int | None:
        """How many hints lie in these queues; None when one of their servers is away."""
        found = self.depths(queues)
        return sum(found.values()) if len(found) == len(set(queues)) else None

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        """How many hints lie in each of these queues; those of a server that is away are left out."""
        found: dict[str, int] = {}
        for server in self.servers:
            mine = [queue for queue in queues if self.at(queue) is server]
            try:
                found |= server.depths(mine) if mine else {}
            except (redis.RedisError, OSError):
                continue
        return found

    def emptied(self) -> list[Server]:
        """The servers that have lost their memory since the last time anybody asked."""
        return [server for server in self.servers if server.new_epoch(self._origin)]

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
