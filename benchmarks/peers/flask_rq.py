"""Flask and RQ. The worker names this module as its settings, so that it is loaded before each job's fork."""

from __future__ import annotations

import os

from flask import Flask, request
from redis import Redis
from rq import Queue

from benchmarks.peers.done import tell

REDIS_URL = os.environ["PEER_REDIS_URL"]
app = Flask(__name__)
queue = Queue(connection=Redis.from_url(REDIS_URL))


def add(a: int, b: int, token: str = "") -> int:
    """Add, and say so to who waits."""
    tell(token)
    return a + b


@app.post("/add")
def submit() -> tuple[dict[str, str], int]:
    """Publish a job."""
    return {"id": queue.enqueue(add, **request.get_json(), result_ttl=0).id}, 202
