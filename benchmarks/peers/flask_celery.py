"""Flask and Celery put together as Flask's documentation shows it. Nothing is kept but the message."""

from __future__ import annotations

import os

from celery import Celery, Task, shared_task
from flask import Flask, request

from benchmarks.peers.done import tell

app = Flask(__name__)


class InContext(Task):
    """Runs within the app's context."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        with app.app_context():
            return self.run(*args, **kwargs)


celery = Celery(app.name, task_cls=InContext)
celery.config_from_object({"broker_url": os.environ["PEER_REDIS_URL"], "task_ignore_result": True})
celery.set_default()


@shared_task
def add(a: int, b: int, token: str = "") -> int:
    """Add, and say so to who waits."""
    tell(token)
    return a + b


@app.post("/add")
def submit() -> tuple[dict[str, str], int]:
    """Publish a message."""
    return {"id": add.delay(**request.get_json()).id}, 202
