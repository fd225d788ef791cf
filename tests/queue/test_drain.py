"""A worker that is asked to stop finishes what it can and hands back the rest, without charging an attempt."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import select

from tests.conftest import Person
from tests.databases import SQLITE_IN_THE_SOAK
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.smtp_server import Act, SmtpServer, smtp_server
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, JobEvent
from webapi.queue import submit
from webapi.queue.audit import audit
from webapi.tasks.email_send import Email


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], mail: SmtpServer) -> Flask:
    return make_app(STOP_SECONDS=0.5, MAIL_SERVER="127.0.0.1", MAIL_PORT=mail.port)


@pytest.fixture
def note(tmp_path: Path) -> Note:
    return Note(path=str(tmp_path / "note"))


def accept(app: Flask, owner: Person, kind: str, payload: BaseModel) -> UUID:
    with app.app_context():
        return submit(kind, payload, owner_id=owner.id).id


def row(app: Flask, job_id: UUID) -> tuple[str, int, int, int]:
    """State, attempt, budget, crashes."""
    with app.app_context():
        job = db.session.get_one(Job, job_id)
        return job.state, job.attempt, job.attempt_budget, job.crash_count


def whole(app: Flask) -> bool:
    with app.app_context():
        return not any(finding.offenders for finding in audit())


def warm(worker: RealWorker) -> None:
    signal_to(worker.main(), signal.SIGTERM)


def cold(worker: RealWorker) -> None:
    signal_to(worker.main(), signal.SIGQUIT)


def all_at_once(worker: RealWorker) -> None:
    """As a service manager does that signals each process of a group."""
    for process in [*worker.children(), worker.main()]:
        signal_to(process, signal.SIGTERM)


def signal_to(process: psutil.Process, number: signal.Signals) -> None:
    process.send_signal(number)


@SQLITE_IN_THE_SOAK
@pytest.mark.parametrize("stop", [warm, cold, all_at_once])
def test_a_job_that_takes_too_long_goes_back_and_is_not_charged(
    app: Flask, ada: Person, note: Note, start_worker: Callable[..., RealWorker], stop: Callable[[RealWorker], None]
) -> None:
    worker = start_worker(app)
    job_id = accept(app, ada, "test.slow", note)
    until(note.lines, what="the job to begin")
    main = worker.main()
    stop(worker)
    main.wait(20)
    assert row(app, job_id) == ("queued", 1, 6, 0)
    with app.app_context():
        assert "handed back" in (
            db.session.scalars(select(JobEvent.reason).order_by(JobEvent.seq.desc())).first() or ""
        )
    start_worker(app)
    until(lambda: len(note.lines()) == 2, what="the next worker to take it")
    Path(note.path + ".go").touch()
    until(lambda: row(app, job_id) == ("succeeded", 2, 6, 0), what="the job")
    assert whole(app)


@SQLITE_IN_THE_SOAK
def test_an_act_under_way_is_answered_before_its_process_ends(
    app: Flask, ada: Person, mail: SmtpServer, start_worker: Callable[..., RealWorker]
) -> None:
    """The server is slow to answer the first dot; the second mail is for the next worker."""
    mail.plan("one@example.com", Act.STORE_AND_ANSWER_LATE)
    worker = start_worker(app)
    email = Email(to=["one@example.com", "two@example.com"], subject="S", text="t")
    job_id = accept(app, ada, "email.send", email)
    until(lambda: mail.to("one@example.com"), what="the first mail to be stored")
    assert worker.process is not None
    worker.process.terminate()
    worker.process.wait(20)
    with app.app_context():
        effects = {each.effect_key: each.state for each in db.session.scalars(select(Effect))}
    assert effects["one@example.com"] == EffectState.DONE
    start_worker(app)
    until(lambda: row(app, job_id)[0] == "succeeded", what="the job")
    assert [len(mail.to(each)) for each in email.to] == [1, 1]
    assert whole(app)
