"""Flask and Huey."""

from __future__ import annotations

import os

from flask import Flask, request
from huey import RedisHuey

from benchmarks.peers.done import tell

app = Flask(__name__)
huey = RedisHuey("peer", url=os.environ["PEER_REDIS_URL"], results=False)


@huey.task()
def add(a: int, b: int, token: str = "") -> None:
    """Add, and say so to who waits."""
    tell(token)


@app.post("/add")
def submit() -> tuple[dict[str, str], int]:
    """Publish a task."""
    add(**request.get_json())
    return {"id": "accepted"}, 202
