"""How often somebody asks: counted in this process, and shared with the others through Redis once a second.

The window slides: of the minute before, so much counts as still lies within the last sixty seconds. Within one
process the count is exact to that; of the others' requests it knows what they had told a second ago, so that several
processes together let through at most what they accept in that second beyond the limit. While Redis is away each counts
by itself. A request that is refused is not counted, and no request waits for Redis but one in a second.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from flask import Flask
from structlog import get_logger

from webapi import brokers
from webapi.queue.settings import KEY_PREFIX

WINDOW = 60.0  # seconds
SHARED_EVERY = 1.0  # seconds
TIMEOUT = 0.25  # seconds that the request which shares may wait for Redis
BREAK = 5.0  # seconds without a try after a failure
AT_ONCE = 1000  # counts in one round trip
MOST = 100_000  # of whom this process keeps count; who comes after them is let through until the minute is over

log = get_logger()


@dataclass
class Count:
    """The requests of one minute: of all processes as far as known, and of this one what the others do not know."""

    known: int = 0
    untold: int = 0

    @property
    def total(self) -> int:
        return self.known + self.untold


@dataclass(frozen=True)
class Standing:
    """The limit, what is left of it, and seconds until there is more. Who has to `wait` is refused."""

    limit: int
    left: int
    reset: int
    wait: int = 0


class Rates:
    """Counts by any name. Names go to Redis as they are, so they must be nobody's own."""

    def __init__(self, app: Flask, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock, self._sharing = threading.Lock(), threading.Lock()
        self._minute = 0
        self._now: dict[str, Count] = {}
        self._before: dict[str, Count] = {}
        self._next = clock() + SHARED_EVERY
        self._client = brokers.client(app.config["REDIS_URL"], TIMEOUT)

    def hit(self, name: str, limit: int) -> Standing:
        """Count a request, unless it is refused."""
        self._share()
        with self._lock:
            standing = self._standing(name, limit)
            if standing.wait:
                return standing
            count = self._now.get(name) or self._begin(name)
            count.untold += 1
        return Standing(limit, max(0, standing.left - 1), standing.reset)

    def look(self, name: str, limit: int) -> Standing:
        """The same without counting."""
        with self._lock:
            return self._standing(name, limit)

    def _begin(self, name: str) -> Count:
        return self._now.setdefault(name, Count()) if len(self._now) < MOST else Count()

    def _standing(self, name: str, limit: int) -> Standing:
        gone = self._turn()
        count, before = self._now.get(name, Count()).total, self._before.get(name, Count()).total
        left = math.floor(limit - count - before * (1 - gone / WINDOW) + 1e-9)
        if left >= 1:
            return Standing(limit, left, math.ceil(WINDOW - gone))
        if count + 1 > limit:  # the next minute has to get so far that enough of this one has left the window
            wait = WINDOW - gone + WINDOW * (1 - (limit - 1) / count)
        else:
            wait = WINDOW * (1 - (limit - 1 - count) / before) - gone
        wait = max(1, math.ceil(wait))
        return Standing(limit, 0, wait, wait)

    def _turn(self) -> float:
        """Seconds that the minute has lasted; at its beginning the last one becomes the one before."""
        minute, gone = divmod(self._clock(), WINDOW)
        if minute > self._minute:
            self._before = self._now if minute == self._minute + 1 else {}
            self._now, self._minute = {}, int(minute)
        return gone

    def _share(self) -> None:
        """Tell the others and hear from them, if it is time and nobody else of this process does."""
        if self._clock() < self._next or not self._sharing.acquire(blocking=False):
            return
        try:
            self._next = self._clock() + SHARED_EVERY
            with self._lock:
                self._turn()
                minute, counts = self._minute, [pair for pair in self._now.items() if pair[1].untold][:AT_ONCE]
                told = [(name, count, count.untold) for name, count in counts]
            self._tell(minute, told)
        except (redis.RedisError, OSError) as error:
            self._next = self._clock() + BREAK
            log.warning("request counts not shared", error=type(error).__name__)
        finally:
            self._sharing.release()

    def _tell(self, minute: int, told: list[tuple[str, Count, int]]) -> None:
        if not told:
            return
        with self._client.pipeline(transaction=False) as pipe:
            for name, _, number in told:
                key = f"{KEY_PREFIX}rate:{name}:{minute}"
                pipe.incrby(key, number)
                pipe.expire(key, int(2 * WINDOW) + 5)
            totals = pipe.execute()[::2]
        with self._lock:
            for (_, count, number), total in zip(told, totals, strict=True):
                count.known, count.untold = total, count.untold - number
