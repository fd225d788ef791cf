"""Why isn't it running? Each answer, provoked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert, update

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.queue import acting
from tests.servers import Broker
from webapi.extensions import db
from webapi.models import Job, State, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import gates, kind_named, submit
from webapi.queue.claim import claim
from webapi.queue.explain import Reason, why
from webapi.queue.run import work

pytestmark = pytest.mark.usefixtures("context")


def accept(ada: Person, kind: str = "test.note", **options: Any) -> Job:
    return kept(submit(kind, Note(path="/nowhere/note"), owner_id=ada.id, **options))


def kept(job: Job) -> Job:
    """The row of a job that was accepted."""
    return db.session.get_one(Job, job.id)


def add_worker(*, slots: int = 2, busy: int = 0, queues: tuple[str, ...] = ("default",)) -> None:
    row = {"id": uuid4(), "host": "h", "pid": 1, "slots": slots, "busy": busy, "queues": list(queues), "version": "0"}
    with writing() as session:
        session.execute(insert(Worker).values(**row))


def change(job: Job, **values: Any) -> None:
    job_id = job.id
    with writing() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))
    db.session.refresh(job)


def test_a_job_whose_time_has_not_come(ada: Person) -> None:
    reason = why(accept(ada, delay=600))
    assert reason.code == "not_due"
    assert "600 s" in reason.sentence or "599 s" in reason.sentence


def test_a_job_that_was_due_and_no_relay_saw(ada: Person) -> None:
    job = accept(ada, delay=600)
    change(job, run_at=after(-30))
    assert why(job).code == "no_relay"


def test_a_queue_that_no_worker_takes(ada: Person) -> None:
    add_worker(queues=("email",))
    reason = why(accept(ada))
    assert reason.code == "no_worker"
    assert "make worker QUEUES=default" in reason.sentence


def test_a_worker_that_is_silent_does_not_count(ada: Person) -> None:
    add_worker()
    with writing() as session:
        session.execute(update(Worker).values(seen_at=after(-120)))
    assert why(accept(ada)).code == "no_worker"


def test_all_slots_busy(ada: Person) -> None:
    add_worker(slots=2, busy=2)
    assert why(accept(ada)).evidence["busy"] == 2
    assert why(accept(ada)).code == "busy"


def test_others_ahead(ada: Person) -> None:
    add_worker()
    accept(ada)
    accept(ada, priority=5)
    reason = why(accept(ada, priority=3))
    assert (reason.code, reason.evidence["ahead"]) == ("behind", 1)


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("rated.slow", "held_by_rate", "at most 1/h; the next may begin in"),
        ("capped.two", "held_by_cap", "2 jobs of its kind are running, and no more than 2 may"),
    ],
)
def test_what_holds_a_whole_kind_back(app: Flask, ada: Person, kind: str, code: str, words: str) -> None:
    app.extensions["kinds"] |= acting.KINDS
    add_worker(slots=9)
    jobs = [kept(submit(kind, acting.Anything(), owner_id=ada.id)) for _ in range(3)]
    for _ in jobs:
        claim(kind_named(kind))
    db.session.refresh(jobs[2])
    reason = why(jobs[2])
    assert (reason.code, words in reason.sentence) == (code, True)


def test_a_paused_kind(ada: Person) -> None:
    add_worker()
    job = accept(ada)
    gates.pause("test.note", "ada")
    reason = why(job)
    assert (reason.code, "flask kinds resume test.note" in reason.sentence) == ("paused", True)


def test_redis_away(make_app: Callable[..., Flask], ada: Person) -> None:
    add_worker()
    job_id = accept(ada).id
    with make_app(REDIS_URL="redis://127.0.0.1:1/0").app_context():
        assert why(db.session.get_one(Job, job_id)).code == "redis_away"


def test_a_hint_under_way(ada: Person, broker: Broker) -> None:
    add_worker()
    assert why(accept(ada)).code == "hint_sent"


def test_a_job_that_runs_stops_or_was_left(ada: Person) -> None:
    job = accept(ada)
    assert claim(kind_named("test.note")) is not None
    db.session.refresh(job)
    assert why(job).code == "running"
    change(job, cancel_requested_at=after(0))
    assert why(job).code == "stopping"
    change(job, lease_until=after(-30))
    assert why(job).code == "lease_expired"


def test_a_job_that_is_over_and_one_that_is_tried_again(ada: Person, tmp_path: Path) -> None:
    job = kept(submit("test.flaky", Note(path=str(tmp_path / "note"), times=9), owner_id=ada.id))
    work(kind_named("test.flaky"))
    db.session.refresh(job)
    reason: Reason = why(job)
    assert (job.state, reason.code) == (State.RETRYING, "retrying")
    assert "Connection refused" in reason.sentence
    change(job, state=State.FAILED, finished_at=after(0))
    assert why(job).code == "over"
