"""An older copy of the database is put back after mails went out: none goes out again unless a person orders it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg
import pytest
from flask import Flask
from sqlalchemy import insert, select

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.smtp_server import SmtpServer, smtp_server
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, Schedule, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.queue.audit import audit
from webapi.queue.run import work
from webapi.tasks.email_send import Email


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], mail: SmtpServer) -> Flask:
    return make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=mail.port)


class Copy:
    """A copy of the whole database, to be put back later. Nobody may be connected."""

    def __init__(self, app: Flask, url: str, folder: Path) -> None:
        self.app, self.url, self.path = app, url, folder / "copy.db"
        self.server, _, self.name = url.rpartition("/")
        self._disconnect()
        if url.startswith("sqlite"):
            file = url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(self.path)) as target:
                source.backup(target)
        else:
            self._server(f'CREATE DATABASE "copy_{self.name}" TEMPLATE "{self.name}"')

    def put_back(self) -> None:
        self._disconnect()
        if self.url.startswith("sqlite"):
            file = Path(self.url.removeprefix("sqlite:///"))
            # Who lets go of it last tidies up beside it, and would do so in the midst of what is put there now.
            until(lambda: not holders(file), what=f"all of {holders(file)} to let go of the database")
            for name in (f"{file.name}-wal", f"{file.name}-shm"):
                file.with_name(name).unlink(missing_ok=True)
            shutil.copy(self.path, file)
        else:
            self._server(f'DROP DATABASE "{self.name}" WITH (FORCE)')
            self._server(f'ALTER DATABASE "copy_{self.name}" RENAME TO "{self.name}"')

    def _server(self, statement: str) -> None:
        with psycopg.connect(f"{self.server}/postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _disconnect(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


def holders(file: Path) -> list[str]:
    """Programs that have it open."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(str(file) in each.path for each in process.open_files()):
                found.append(f"{process.pid}: {' '.join(process.cmdline())}")
    return found


def accept(app: Flask, owner: Person, to: str, delay: float | None = None) -> UUID:
    with app.app_context():
        email = Email(to=[to], subject="S", text="t")
        job_id: UUID = submit("email.send", email, owner_id=owner.id, delay=delay).id
        return job_id


def add_schedule(app: Flask, owner: Person) -> None:
    """It fires a second after the copy, and then not for a long time."""
    payload = Email(to=["yearly@example.com"], subject="S", text="t").model_dump(mode="json")
    row = {"kind": "email.send", "payload": payload, "cron": "0 0 1 1 *", "timezone": "UTC", "next_at": after(1)}
    with app.app_context(), writing() as session:
        session.execute(insert(Schedule).values(id=uuid4(), owner_id=owner.id, **row))


def state(app: Flask, job_id: UUID) -> str | None:
    with app.app_context():
        return db.session.scalar(select(Job.state).where(Job.id == job_id))


def heard(app: Flask) -> bool:
    """Whether the worker took a hint."""
    with app.app_context():
        return bool(db.session.scalar(select(Worker.id).where(Worker.last_hint_at.is_not(None))))


def run(app: Flask, *words: str) -> None:
    answer = app.test_cli_runner().invoke(args=["recover", *words])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
def test_no_mail_goes_out_again_without_an_order(
    app: Flask, ada: Person, mail: SmtpServer, database_url: str, tmp_path: Path,
    start_worker: Callable[..., RealWorker],
) -> None:  # fmt: skip
    before = accept(app, ada, "before@example.com")
    with app.app_context():
        work(kind_named("email.send"))
    queued, soon = accept(app, ada, "queued@example.com"), accept(app, ada, "soon@example.com", delay=1)
    later = accept(app, ada, "later@example.com", delay=3600)
    add_schedule(app, ada)
    copy = Copy(app, database_url, tmp_path)

    worker = start_worker(app)
    after_copy = accept(app, ada, "after@example.com")
    sent = {f"{name}@example.com" for name in ("before", "queued", "soon", "yearly", "after")}
    until(lambda: {each.recipients[0] for each in mail.stored} == sent, what="the mails of after the copy")
    until(lambda: state(app, after_copy) == "succeeded", what="the last receipt")
    assert worker.stop() == 0
    accept(app, ada, "hinted@example.com")  # its hint stays in Redis, and the copy knows nothing of it

    copy.put_back()
    run(app, "--yes", "--stopped")
    assert [state(app, each) for each in (before, queued, soon, later)] == [
        "succeeded", "uncertain", "uncertain", "scheduled",
    ]  # fmt: skip
    start_worker(app)
    until(lambda: heard(app), what="a hint of after the copy to be taken")
    note = tmp_path / "note"
    with app.app_context():
        submit("test.note", Note(path=str(note)), owner_id=ada.id)
    run(app, "resume")
    until(note.exists, what="a new job, which the worker does once it may")
    assert {each: len(mail.to(each)) for each in sent} == dict.fromkeys(sent, 1)

    with app.app_context():
        answer = app.test_cli_runner().invoke(args=["jobs", "show", str(soon), "--owner", ada.email])
        assert "restored from an older copy" in answer.output
    # The person looks into the mail server's log: one is known to have arrived, the other they send all the same.
    _settle(app, ada, soon, "delivered")
    _settle(app, ada, queued, "resend")
    until(lambda: state(app, queued) == "succeeded", what="what a person ordered")
    assert state(app, soon) == "succeeded"
    counts = {each: len(mail.to(each)) for each in sent}
    assert counts == dict.fromkeys(sent, 1) | {"queued@example.com": 2}
    with app.app_context():
        assert not [each for each in audit() if each.offenders]


def _settle(app: Flask, owner: Person, job_id: UUID, answer: str) -> None:
    """By the API, as the job's owner."""
    client = app.test_client()
    effects = client.get(f"/api/v1/jobs/{job_id}/effects", headers=owner.headers).get_json()
    answers = {"effects": {each["id"]: answer for each in effects["effects"]}}
    done = client.post(f"/api/v1/jobs/{job_id}/resolve", json=answers, headers=owner.headers)
    assert done.status_code < 300, done.text
