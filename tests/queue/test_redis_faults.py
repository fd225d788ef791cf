"""Redis may go away, come back empty and lose everything: that costs time, never a job."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, State
from webapi.queue import submit
from webapi.queue.hints import Hint
from webapi.queue.relay import Relay


@pytest.fixture
def app(make_app: Callable[..., Flask], own_broker: Broker) -> Flask:
    return make_app(REDIS_URL=own_broker.url)


def count(app: Flask, state: State) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).where(Job.state == state)) or 0


def process(app: Flask, person: Person, data: object) -> tuple[int, str]:
    answer = app.test_client().post("/process", json={"data": data}, headers=person.headers)
    return answer.status_code, answer.get_json()["task_id"]


def test_jobs_are_accepted_without_redis_and_run_within_five_seconds_of_its_return(
    app: Flask, own_broker: Broker, ada: Person, start_worker: Callable[..., RealWorker]
) -> None:
    start_worker(app)
    own_broker.stop()
    began = time.monotonic()
    codes = [process(app, ada, number)[0] for number in range(5)]
    assert codes == [202] * 5
    assert time.monotonic() - began < 5 * 1.2
    own_broker.start()
    back = time.monotonic()
    until(lambda: count(app, State.SUCCEEDED) == 5, what="the five jobs")
    assert time.monotonic() - back < 5


def test_two_hundred_queued_jobs_survive_a_flush(
    app: Flask, own_broker: Broker, ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    note = Note(path=str(tmp_path / "note"))
    with app.app_context():
        for _ in range(200):
            submit("test.note", note, owner_id=ada.id)
    assert own_broker.client().llen("{webapi}:default") == 200
    own_broker.client().flushall()
    assert count(app, State.QUEUED) == 200
    start_worker(app)
    until(lambda: count(app, State.SUCCEEDED) == 200, seconds=40, what="all 200 jobs")
    assert len((tmp_path / "note").read_text().splitlines()) == 200


def test_a_worker_works_on_after_redis_was_killed_and_came_back_empty(
    app: Flask, own_broker: Broker, ada: Person, start_worker: Callable[..., RealWorker]
) -> None:
    worker = start_worker(app)
    for number in range(3):
        own_broker.stop()
        process(app, ada, number)
        own_broker.start()
        until(lambda wanted=number + 1: count(app, State.SUCCEEDED) == wanted, what="the job")  # type: ignore[misc]
    assert worker.process is not None
    assert worker.process.poll() is None


def test_a_forged_message_runs_nothing(
    app: Flask, own_broker: Broker, ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    hints = app.extensions["hints"]
    worker = start_worker(app)
    _, task_id = process(app, ada, "later")
    until(lambda: count(app, State.SUCCEEDED) == 1, what="the first job")
    forged = hints.message(Hint("data.process", "default", UUID(task_id))).replace(
        b'"task": "data.process"', b'"task": "process_data"'
    )
    own_broker.client().lpush("{webapi}:default", forged)
    until(lambda: "message dropped" in worker.output(), what="the forged message to be dropped")
    assert process(app, ada, "works on")[0] == 202
    until(lambda: count(app, State.SUCCEEDED) == 2, what="the next job")


def test_a_doubled_hint_runs_a_job_once(
    app: Flask, own_broker: Broker, ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    note = Note(path=str(tmp_path / "note"))
    with app.app_context():
        job_id = str(submit("test.note", note, owner_id=ada.id).id)
    (message,) = own_broker.client().lrange("{webapi}:default", 0, -1)
    own_broker.client().lpush("{webapi}:default", *[message] * 20)
    start_worker(app)
    until(lambda: own_broker.client().llen("{webapi}:default") == 0, what="the hints to be taken")
    until(lambda: count(app, State.SUCCEEDED) == 1, what=f"job {job_id}")
    assert (tmp_path / "note").read_text().splitlines() == ["ran"]


def test_the_relay_marks_nothing_as_published_while_redis_is_away(app: Flask, own_broker: Broker, ada: Person) -> None:
    own_broker.stop()
    process(app, ada, "waits")
    Relay(app).run_once()
    with app.app_context():
        job = db.session.scalars(select(Job)).one()
        assert (job.published_at, job.publish_count) == (None, 0)
