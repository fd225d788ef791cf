"""A worker that is connected and silent leaves, so that its supervisor starts it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import psutil
import pytest
import redis
from flask import Flask

from tests.conftest import Person
from tests.processes import RealWorker
from tests.waiting import until
from webapi.queue.watchdog import DEAF, PATIENCE

# What a worker hears has nothing to do with the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def submit(app: Flask, person: Person) -> str:
    answer = app.test_client().post("/process", json={"data": [1]}, headers=person.headers)
    task_id: str = answer.get_json()["task_id"]
    return task_id


def no_longer_consuming(app: Flask, queue: str) -> bool:
    """Tell the worker to stop listening. A connection of the pool may be older than the server and closed."""
    try:
        replies = app.extensions["celery"].control.cancel_consumer(queue, reply=True, timeout=5, limit=1)
    except redis.ConnectionError:
        return False
    return "no longer consuming" in str(replies)


def status(app: Flask, person: Person, task_id: str) -> str:
    answer = app.test_client().get(f"/status/{task_id}", headers=person.headers)
    found: str = answer.get_json()["status"]
    return found


def test_a_deaf_worker_leaves_and_the_next_one_does_the_work(
    make_app: Callable[..., Flask], ada: Person, start_worker: Callable[..., RealWorker]
) -> None:
    app = make_app(LEASE_SECONDS=3)
    deaf = start_worker(app)
    for queue in ("default", "email", "reports"):
        until(partial(no_longer_consuming, app, queue), what=f"the worker to leave {queue}")
    task_id = submit(app, ada)
    assert deaf.process is not None
    assert deaf.process.wait(40) == DEAF
    assert "worker is deaf" in deaf.output()
    start_worker(app)
    until(lambda: status(app, ada, task_id) == "succeeded", seconds=40, what="the job")


@pytest.mark.soak
def test_a_worker_without_work_stays(
    make_app: Callable[..., Flask], ada: Person, start_worker: Callable[..., RealWorker]
) -> None:
    """Silence alone is no fault, nor is a job that waits for its time or for a queue that somebody else takes."""
    app = make_app(LEASE_SECONDS=2)
    worker = start_worker(app, queues="email")
    submit(app, ada)
    deaf_by_now = PATIENCE + 5
    assert worker.process is not None
    until(lambda: passed(worker, deaf_by_now), seconds=60)
    assert worker.process.poll() is None


def passed(worker: RealWorker, seconds: float) -> bool:
    """Whether the worker has lived for so long."""
    assert worker.process is not None
    born: float = psutil.Process(worker.process.pid).create_time()
    return born + seconds < time.time()
