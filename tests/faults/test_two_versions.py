"""A rolling deploy: workers of two versions of the program beside each other."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import func, select

import webapi.tasks
from tests.conftest import KINDS, Person
from tests.kinds.growing import Grown as Older
from tests.next.growing import Grown as Newer
from tests.next.growing import leave_names
from tests.processes import RealWorker
from tests.waiting import until
from tests.web_server import web_server
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import DECLARATION, Kind, submit
from webapi.queue.audit import audit
from webapi.queue.explain import why

assert KINDS in webapi.tasks.__path__
NEXT: Kind = getattr(leave_names, DECLARATION)


@pytest.fixture
def newer(make_app: Callable[..., Flask]) -> Flask:
    """A web process of the next version."""
    app = make_app()
    app.extensions["kinds"]["test.growing"] = NEXT
    return app


def accept(app: Flask, owner: Person, payload: BaseModel) -> UUID:
    with app.app_context():
        return submit("test.growing", payload, owner_id=owner.id).id


def row(app: Flask, job_id: UUID) -> tuple[str, int, int, object]:
    """State, attempts, crashes, result."""
    with app.app_context():
        job = db.session.get_one(Job, job_id)
        return job.state, job.attempt, job.crash_count, job.result


@pytest.mark.soak
def test_each_job_runs_once_at_a_worker_that_can_read_it(
    app: Flask, newer: Flask, ada: Person, tmp_path: Path, start_worker: Callable[..., RealWorker]
) -> None:
    old_worker = start_worker(app)
    path = str(tmp_path / "names")
    for_new = [accept(newer, ada, Newer(path=path, names=[f"new {number}"])) for number in range(5)]
    for_both = [accept(app, ada, Older(path=path, name=f"old {number}")) for number in range(5)]
    until(lambda: all(row(app, each)[0] == "succeeded" for each in for_both), what="what both can read")
    assert {row(app, each)[:3] for each in for_new} == {("queued", 0, 0)}
    with newer.app_context():
        assert why(db.session.get_one(Job, for_new[0])).code == "no_version"
    start_worker(newer, program="tests.wsgi_next")
    until(lambda: all(row(app, each)[0] == "succeeded" for each in for_new), seconds=60, what="what only the new reads")
    assert old_worker.stop() == 0
    after = accept(app, ada, Older(path=path, name="old and late"))
    until(lambda: row(app, after)[0] == "succeeded", seconds=60, what="what the older web accepted")
    assert {row(app, each) for each in (*for_new, after)} == {("succeeded", 1, 0, "2")}
    assert {row(app, each)[1:3] for each in for_both} == {(1, 0)}
    names = [line.partition(" by ")[0] for line in Path(path).read_text().splitlines()]
    assert len(names) == len(set(names)) == 11
    with app.app_context():
        assert not [each for each in audit() if each.offenders]


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_web_server_that_is_asked_to_stop_answers_what_it_has_taken(app: Flask, ada: Person, tmp_path: Path) -> None:
    body = b'{"data": [1]}'
    head = "POST /api/v1/jobs/data.process HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=2\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nAuthorization: Bearer {ada.key}\r\n\r\n"
    with web_server(app, tmp_path / "log") as server, server.connect() as waiting:
        waiting.sendall(head.encode() + body)
        until(lambda: jobs(app), what="the job to be accepted, for whose end the request waits")
        server.process.send_signal(signal.SIGTERM)
        answer = b"".join(iter(lambda: waiting.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 202"), answer[:200]
        assert server.process.wait(15) == 0


def jobs(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Job)) or 0
