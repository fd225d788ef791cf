"""The kind that the peers have as a task: it adds, and says so to who waits at a Redis list."""

from __future__ import annotations

from functools import cache

from flask import current_app
from pydantic import BaseModel, ConfigDict
from redis import Redis

from webapi import brokers
from webapi.queue import job


class Sum(BaseModel):
    """What to add, and where somebody waits for it."""

    model_config = ConfigDict(extra="forbid")

    a: int
    b: int
    token: str = ""


@job("bench.add", public=True, batch=64)
def add(asked: Sum) -> int:
    """Add two numbers."""
    if asked.token:
        _server(current_app.config["REDIS_URL"]).lpush(asked.token, 1)
    return asked.a + asked.b


@cache
def _server(url: str) -> Redis:
    return brokers.client(url, 5)
