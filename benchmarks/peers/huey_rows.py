"""Huey with a row for each task."""

from __future__ import annotations

import os

from huey import RedisHuey

from benchmarks.peers import rows

huey = RedisHuey("rows", url=os.environ["PEER_REDIS_URL"], results=False)


@huey.task(name="note")
def note(number: int) -> None:
    """Two commits."""
    rows.work(number)


publish = note
