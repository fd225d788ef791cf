"""Workers may be stopped, killed and joined by others at any moment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from tests.databases import SQLITE_IN_THE_SOAK
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, Worker
from webapi.queue import submit
from webapi.tasks.plain_process_data import process_data


@pytest.fixture
def note(tmp_path: Path) -> Note:
    return Note(path=str(tmp_path / "note"))


def accept(app: Flask, owner: Person, kind: str, note: Note) -> None:
    with app.app_context():
        submit(kind, note, owner_id=owner.id)


def only_job(app: Flask) -> tuple[str, int, int]:
    with app.app_context():
        job = db.session.scalars(select(Job)).one()
        return job.state, job.attempt, job.crash_count


def test_a_stopped_worker_finishes_what_it_began_and_signs_off(
    app: Flask, ada: Person, worker: RealWorker, note: Note
) -> None:
    accept(app, ada, "test.slow", note)
    until(note.lines, what="the job to begin")
    assert worker.process is not None
    worker.process.terminate()
    Path(note.path + ".go").touch()
    assert worker.process.wait(20) == 0
    assert only_job(app) == ("succeeded", 1, 0)
    with app.app_context():
        assert db.session.scalars(select(Worker)).all() == []


@SQLITE_IN_THE_SOAK
def test_another_worker_takes_over_when_a_machine_is_gone(
    app: Flask, ada: Person, note: Note, start_worker: Callable[..., RealWorker]
) -> None:
    first = start_worker(app)
    accept(app, ada, "test.slow", note)
    until(note.lines, what="the job to begin")
    first.kill()
    start_worker(app)
    until(lambda: len(note.lines()) == 2, what="the second attempt")
    Path(note.path + ".go").touch()
    until(lambda: only_job(app)[0] == "succeeded", what="the job")
    assert only_job(app) == ("succeeded", 2, 1)


@SQLITE_IN_THE_SOAK
def test_the_pool_dies_with_its_main_process_and_the_next_worker_takes_over(
    app: Flask, ada: Person, worker: RealWorker, note: Note, start_worker: Callable[..., RealWorker]
) -> None:
    """No process is left behind that works on and that nobody watches."""
    accept(app, ada, "test.slow", note)
    until(note.lines, what="the job to begin")
    children = worker.children()
    worker.main().kill()
    until(lambda: not any(alive(child) for child in children), what="its processes to end")
    start_worker(app)
    until(lambda: len(note.lines()) == 2, what="the second attempt")
    Path(note.path + ".go").touch()
    until(lambda: only_job(app) == ("succeeded", 2, 1), what="the job")


def alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def test_plain_celery_calls_work_and_return_results(app: Flask, worker: RealWorker) -> None:
    with app.app_context():
        assert process_data.delay([1, 2, 3]).get(timeout=10)["rows"] == 3
        assert process_data.apply_async(([4],), countdown=2).get(timeout=10)["rows"] == 1


def test_a_worker_answers_inspect_in_development(app: Flask, worker: RealWorker) -> None:
    replies = app.extensions["celery"].control.inspect(timeout=10, limit=1).ping()
    assert list(replies.values()) == [{"ok": "pong"}]


def test_a_worker_runs_jobs_of_its_queues_only(
    app: Flask, ada: Person, note: Note, start_worker: Callable[..., RealWorker]
) -> None:
    start_worker(app, queues="email")
    accept(app, ada, "test.note", note)
    with app.app_context():
        (row,) = db.session.scalars(select(Worker)).all()
        assert row.queues == ["email"]
    start_worker(app, queues="default")
    until(lambda: only_job(app)[0] == "succeeded", what="the job")
