"""Flask and Dramatiq."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from flask import Flask, request

from benchmarks.peers.done import tell

app = Flask(__name__)
broker = RedisBroker(url=os.environ["PEER_REDIS_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor
def add(a: int, b: int, token: str = "") -> None:
    """Add, and say so to who waits."""
    tell(token)


@app.post("/add")
def submit() -> tuple[dict[str, str], int]:
    """Publish a message."""
    return {"id": add.send(**request.get_json()).message_id}, 202
