"""The master of Redis dies or freezes; Sentinel names another, and everything goes on there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import Person
from tests.faults.ground import broken
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.sentinels import Watched
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, State
from webapi.queue import submit
from webapi.tasks.plain_process_data import process_data

LONGEST = 2.5  # seconds for one submission: 1.5 for Redis, and a machine that is busy


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    standing = Watched(tmp_path)
    try:
        standing.start()
        yield standing
    finally:
        standing.stop()


def kill(master: Broker) -> None:
    master.stop()


def freeze(master: Broker) -> None:
    master.freeze()


def left(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).where(Job.state.in_([State.QUEUED, State.RUNNING]))) or 0


@pytest.mark.soak
@pytest.mark.parametrize("strike", [kill, freeze])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_everything_follows_the_master(
    make_app: Callable[..., Flask], ada: Person, watched: Watched, start_worker: Callable[..., RealWorker],
    tmp_path: Path, strike: Callable[[Broker], None],
) -> None:  # fmt: skip
    app = make_app(REDIS_URL=watched.url, RATELIMIT_ENABLED=True)
    note, worker = Note(path=str(tmp_path / "note")), start_worker(app)
    waits: list[float] = []
    over = threading.Event()

    def submit_on() -> None:
        while not over.wait(0.05):
            began = time.monotonic()
            with app.app_context():
                submit("test.note", note, owner_id=ada.id)
            waits.append(time.monotonic() - began)

    submitting = threading.Thread(target=submit_on)
    submitting.start()
    until(lambda: len(note.lines()) > 10, what="ten jobs")
    first = watched.master()
    strike(first)
    until(lambda: watched.master() is not first, seconds=30, what="another master")
    done = len(note.lines())
    until(lambda: len(note.lines()) > done + 20, seconds=30, what="the worker to consume again")
    over.set()
    submitting.join()
    until(lambda: left(app) == 0, seconds=60, what="all jobs to end")
    assert len(note.lines()) == len(waits)
    assert max(waits) < LONGEST
    with app.app_context():
        assert process_data.delay([1, 2]).get(timeout=20)["rows"] == 2
    assert app.test_client().post("/login", data={"email": "a@example.com", "password": "x"}).status_code != 500
    assert worker.process is not None
    assert worker.process.poll() is None
    assert broken(app) == []
