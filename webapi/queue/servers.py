"""One Redis, as far as hints are concerned: asked in bounded time, and left alone for a second after it failed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis
from flask import Flask
from redis.sentinel import SentinelConnectionPool
from structlog import get_logger

from webapi import brokers, metrics
from webapi.errors import ConfigError
from webapi.queue.settings import KEY_PREFIX
from webapi.redis_settings import named, suffix

TIMEOUT = 0.5  # seconds to connect, and again to be answered; together they bound what an accepting request can wait
BREAK = 1.0  # seconds without a try after a failure, so that only the first request of a second waits
EPOCH_KEY = KEY_PREFIX + "epoch"

log = get_logger()


@dataclass(frozen=True)
class Keeping:
    """How a server keeps what it is given, as far as it lets us ask; None stands for what it does not say."""

    eviction: str | None = None
    append_only: bool | None = None


class Server:
    """`setting` names its URL. `queues` are those whose hints lie here; none for the server of all the others."""

    def __init__(self, setting: str, url: str, queues: Sequence[str] = ()) -> None:
        self.setting = setting
        self.url = url
        self.queues = frozenset(queues)
        self._open_until = 0.0
        self._client = brokers.client(url, TIMEOUT, socket_keepalive=True, decode_responses=True)

    def push(self, messages: Sequence[tuple[str, bytes]]) -> bool:
        """Put each message into its queue, in one round trip. False when that was not confirmed; never raises."""
        if time.monotonic() < self._open_until:
            metrics.HINTS_FAILED.add(by=len(messages))
            return False
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for queue, message in messages:
                    pipe.lpush(KEY_PREFIX + queue, message)
                pipe.execute()
        except (redis.RedisError, OSError) as error:
            self._open_until = time.monotonic() + BREAK
            metrics.HINTS_FAILED.add(by=len(messages))
            metrics.BREAKER_OPENED.add()
            log.warning("hints not sent", count=len(messages), error=type(error).__name__, server=self.setting)
            return False
        metrics.HINTS_SENT.add(by=len(messages))
        return True

    def answers(self) -> bool:
        """Whether it answers just now."""
        try:
            return bool(self._client.ping())
        except (redis.RedisError, OSError):
            return False

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        """How many hints lie in each of these queues. Raises redis.RedisError and OSError."""
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(KEY_PREFIX + queue)
            return dict(zip(queues, pipe.execute(), strict=True))

    def new_epoch(self, who: str) -> bool:
        """Whether it has lost its memory since the last time anybody asked. False while it is away."""
        try:
            return bool(self._client.set(EPOCH_KEY, who, nx=True))
        except (redis.RedisError, OSError):
            return False

    def forget_epoch(self) -> None:
        """Undo `new_epoch`: what it announced was not dealt with. Raises redis.RedisError and OSError."""
        self._client.delete(EPOCH_KEY)

    def in_cluster(self) -> bool:
        """Whether it is a node of a Redis Cluster. HELLO answers to everybody who is logged in."""
        try:
            found = self._client.execute_command("HELLO")  # type: ignore[no-untyped-call]
        except (redis.RedisError, OSError):
            return False
        pairs = found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=False))
        return bool(pairs.get("mode") == "cluster")

    def keeping(self) -> Keeping:
        """Whether it may throw hints away, and whether it remembers them after a restart."""
        try:
            found = self._client.info()
        except (redis.RedisError, OSError):
            return Keeping()
        aof = found.get("aof_enabled")
        return Keeping(found.get("maxmemory_policy"), None if aof is None else bool(aof))

    def sentinels(self) -> tuple[int, int, int] | None:
        """How many sentinels are named, how many of them answer, and replicas of the master; None without Sentinel."""
        pool = self._client.connection_pool
        if not isinstance(pool, SentinelConnectionPool):
            return None
        replicas = []
        for each in pool.sentinel_manager.sentinels:
            try:
                replicas.append(int(each.sentinel_masters()[pool.service_name]["num-slaves"]))
            except (redis.RedisError, OSError, KeyError):
                continue
        return len(pool.sentinel_manager.sentinels), len(replicas), max(replicas, default=0)


def servers(app: Flask) -> list[Server]:
    """The servers of REDIS_URL, which is the first, and of each REDIS_URL_<QUEUE>. Raises ConfigError."""
    main, own = app.config["REDIS_URL"], app.config.get("REDIS_URLS") or {}
    queues: dict[str, list[str]] = {}
    for queue in app.extensions["queues"]:
        queues.setdefault(suffix(queue), []).append(queue)
    if unknown := sorted(own.keys() - queues.keys()):
        known = ", ".join(sorted(app.extensions["queues"]))
        raise ConfigError(f"REDIS_URL_{unknown[0]}: no kind has such a queue; the queues are {known}.")
    at: dict[str, list[str]] = {}
    for queue, url in own.items():
        if url != main:
            at.setdefault(url, []).extend(queues[queue])
    names = {url: name for name, url in reversed(named(main, own).items())}
    return [Server("REDIS_URL", main), *(Server(names[url], url, mine) for url, mine in at.items())]
