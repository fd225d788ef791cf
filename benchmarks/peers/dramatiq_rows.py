"""Dramatiq with a row for each task."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers import rows

dramatiq.set_broker(RedisBroker(url=os.environ["PEER_REDIS_URL"]))


@dramatiq.actor
def note(number: int) -> None:
    """Two commits."""
    rows.work(number)


publish = note.send
