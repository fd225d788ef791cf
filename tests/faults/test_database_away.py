"""PostgreSQL goes away: nothing is promised, nothing that was promised is lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask_migrate import upgrade
from werkzeug.test import TestResponse

from tests.conftest import Person
from tests.faults.ground import broken
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.servers import Postgres, postgres
from tests.smtp_server import SmtpServer
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import submit
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that these tests alone use, and may stop."""
    with postgres() as own:
        yield own


@pytest.fixture
def app(make_app: Callable[..., Flask], server: Postgres, mail: SmtpServer) -> Flask:
    if server.process is None:
        server.start()
    made = make_app(DATABASE_URL=server.url, LEASE_SECONDS=4, MAIL_SERVER="127.0.0.1", MAIL_PORT=mail.port)
    with made.app_context():
        db.drop_all()
        with db.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        upgrade()
    return made


def post(app: Flask, person: Person) -> TestResponse:
    return app.test_client().post("/api/v1/jobs/data.process", json={"data": [1]}, headers=person.headers)


def state(app: Flask, job_id: UUID) -> tuple[str, int]:
    with app.app_context():
        job = db.session.get_one(Job, job_id)
        return job.state, job.attempt


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_submitting_is_503_while_it_is_away_and_202_as_soon_as_it_is_back(
    app: Flask, ada: Person, server: Postgres, how: signal.Signals
) -> None:
    assert post(app, ada).status_code == 202
    server.stop(how)
    began = time.monotonic()
    answers = [post(app, ada) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert {answer.get_json()["code"] for answer in answers} == {"database_away"}
    print(f"\n20 requests while PostgreSQL was away: 20 × 503 in {time.monotonic() - began:.2f} s")
    server.start()
    assert post(app, ada).status_code == 202
    with app.app_context():
        assert db.session.query(Job).count() == 2
    assert broken(app) == []


def test_a_job_that_runs_while_it_is_away_for_a_moment_is_finished_and_not_lost(
    app: Flask, ada: Person, server: Postgres, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    worker = start_worker(app)
    note = Note(path=str(tmp_path / "note"))
    with app.app_context():
        job_id = submit("test.slow", note, owner_id=ada.id).id
    until(note.lines, what="the job to begin")
    server.stop(signal.SIGQUIT)
    Path(note.path + ".go").touch()
    until(lambda: "database" in worker.output() or "relay pass failed" in worker.output(), what="the worker to notice")
    server.start()
    until(lambda: state(app, job_id)[0] == "succeeded", seconds=60, what="the job")
    assert broken(app) == []


def test_mails_that_are_sent_while_it_goes_away_arrive_once(
    app: Flask, ada: Person, server: Postgres, mail: SmtpServer, start_worker: Callable[..., RealWorker]
) -> None:
    start_worker(app)
    to = [f"{number}@example.com" for number in range(40)]
    with app.app_context():
        job_id = submit("email.send", Email(to=to, subject="S", text="t"), owner_id=ada.id).id
    until(lambda: len(mail.stored) > 5, what="some mails")
    server.stop(signal.SIGQUIT)
    server.start()
    final = until(lambda: state(app, job_id)[0] in {"succeeded", "uncertain"} and state(app, job_id)[0], seconds=90)
    counts = [len(mail.to(each)) for each in to]
    assert max(counts) == 1
    assert final == "uncertain" or min(counts) == 1
    assert broken(app) == []
