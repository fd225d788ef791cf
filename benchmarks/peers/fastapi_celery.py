"""FastAPI and Celery: a model of the body, a plain function for the path, and a message."""

from __future__ import annotations

import os

from celery import Celery
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.peers.done import tell

app = FastAPI()
celery = Celery(__name__, broker=os.environ["PEER_REDIS_URL"])
celery.conf.task_ignore_result = True


class Sum(BaseModel):
    """What to add."""

    a: int
    b: int
    token: str = ""


@celery.task
def add(a: int, b: int, token: str = "") -> int:
    """Add, and say so to who waits."""
    tell(token)
    return a + b


@app.post("/add", status_code=202)
def submit(asked: Sum) -> dict[str, str]:
    """Publish a message."""
    return {"id": add.delay(**asked.model_dump()).id}
