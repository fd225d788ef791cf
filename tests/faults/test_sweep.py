"""Every named gap of the protocol, visited with SIGKILL in a real process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import select, update

from tests.conftest import Person
from tests.http_server import Act, HttpServer, http_server
from tests.processes import ROOT, settings_of
from tests.smtp_server import SmtpServer, smtp_server
from tests.waiting import until
from webapi.config import environment
from webapi.extensions import db
from webapi.models import FINAL, Artifact, Effect, Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, kind_named, submit
from webapi.queue.audit import audit
from webapi.queue.relay import Relay
from webapi.queue.run import work
from webapi.tasks.email_send import Email
from webapi.tasks.http_call import HttpCall
from webapi.tasks.report_build import ReportRequest

TO = ["first@example.com", "second@example.com"]
EMAIL = Email(to=TO, subject="Once", text="only")
REPORT = ReportRequest()
# After its mark an act may have happened; whoever dies there leaves a question that only a person can answer.
UNSEEN = {"E1b": 0, "E2": 1, "E3a": 1}
MAIL_GAPS = ["Q3", "W1a", "W1b", "E0", "E1a", "E1b", "E2", "E3a", "E5", "W3", "A2", "C2a", "C2b"]
# What the service does with the first request: accept, fail, be busy, hang up, say nothing, say it too slowly.
SERVICES = [Act(), Act(500), Act(429, (("Retry-After", "0"),)), Act(does="hang up early"), Act(does="hang up")]
SERVICES += [Act(does=silence, stores=True) for silence in ("hang up", "stay silent", "drip status")]
REPORT_GAPS = ["Q3", "W1a", "W1b", "W3", "A1", "A2", "C2a", "C2b"]
SUBMIT_GAPS = {"S1b": 0, "S2a": 0, "S3a": 1, "S3c": 1}


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def service() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], mail: SmtpServer, service: HttpServer) -> Flask:
    return make_app(LEASE_SECONDS=2, MAIL_SERVER="127.0.0.1", MAIL_PORT=mail.port, CALL_PRIVATE=[service.place])


class Killer:
    """Runs one step in a process that dies at a gap."""

    def __init__(self, app: Flask, owner: Person, folder: Path) -> None:
        self.app, self.owner, self.token = app, owner, folder / "token"

    def __call__(self, gap: str, step: str, kind: str, payload: BaseModel) -> None:
        self.token.touch()
        changes = settings_of(self.app) | {"FAILPOINT": f"{gap}={self.token}"}
        died = subprocess.run(
            [sys.executable, "-m", "tests.faults.victim", step, kind, str(self.owner.id), payload.model_dump_json()],
            cwd=ROOT, env=environment(changes), capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert died.returncode == -signal.SIGKILL, f"{gap} was not reached: {died.stderr.decode()[-2000:]}"


@pytest.fixture
def kill_at(app: Flask, ada: Person, tmp_path: Path) -> Killer:
    return Killer(app, ada, tmp_path)


def accept(app: Flask, ada: Person, kind: str, payload: BaseModel, **options: Any) -> UUID:
    with app.app_context():
        return submit(kind, payload, owner_id=ada.id, **options).id


def recover(app: Flask, kind: str, job_id: UUID) -> State:
    """What any living worker would do, until the job is over."""

    def over() -> State | None:
        Relay(app).run_once()
        with app.app_context():
            with writing() as session:  # whoever waits to be tried again has waited
                session.execute(update(Job).where(Job.state == State.RETRYING).values(run_at=after(0)))
            work(kind_named(kind))
            state = State(db.session.get_one(Job, job_id).state)
            return state if state in FINAL else None

    return until(over, seconds=15, what=f"{kind} to be over")


def broken(app: Flask) -> list[str]:
    with app.app_context():
        return [finding.name for finding in audit() if finding.offenders]


@pytest.mark.parametrize("gap", MAIL_GAPS)
def test_a_mail_survives_the_death_of_its_worker(
    app: Flask, ada: Person, mail: SmtpServer, kill_at: Killer, gap: str
) -> None:
    job_id = accept(app, ada, "email.send", EMAIL)
    kill_at(gap, "work", "email.send", EMAIL)
    verdict = recover(app, "email.send", job_id)
    received = [recipient for stored in mail.stored for recipient in stored.recipients]
    assert verdict == ("uncertain" if gap in UNSEEN else "succeeded")
    assert received.count(TO[0]) == UNSEEN.get(gap, 1)
    assert received.count(TO[1]) == 1
    assert broken(app) == []


def resends(app: Flask, job_id: UUID, service: HttpServer) -> int:
    """How often the ledger says that the call was repeated. Whatever the service took bears the effect's id."""
    with app.app_context():
        effect = db.session.query(Effect).filter_by(job_id=job_id).one()
        assert {request.headers["webhook-id"] for request in service.received} == {str(effect.id)}
        return effect.resends


@pytest.mark.parametrize("gap", MAIL_GAPS)
def test_a_call_survives_the_death_of_its_worker(
    app: Flask, ada: Person, service: HttpServer, kill_at: Killer, gap: str
) -> None:
    job_id = accept(app, ada, "http.call", call := HttpCall(url=service.url()))
    kill_at(gap, "work", "http.call", call)
    assert recover(app, "http.call", job_id) == "succeeded"
    assert resends(app, job_id, service) == (gap in UNSEEN)
    assert len(service.stored) == 1 + UNSEEN.get(gap, 0)
    assert broken(app) == []


@pytest.mark.soak
@pytest.mark.parametrize("gap", ["E1b", "E2", "E3a", "E5"])
@pytest.mark.parametrize("act", SERVICES, ids=lambda act: f"{act.does} {act.status}")
def test_whatever_the_service_does_a_call_is_repeated_only_as_the_ledger_says(
    app: Flask, ada: Person, service: HttpServer, kill_at: Killer, gap: str, act: Act
) -> None:
    service.plan(act)
    job_id = accept(app, ada, "http.call", call := HttpCall(url=service.url()))
    kill_at(gap, "work", "http.call", call)
    assert recover(app, "http.call", job_id) == "succeeded"
    assert 1 <= len(service.stored) <= 1 + resends(app, job_id, service)
    assert broken(app) == []


@pytest.mark.parametrize("gap", REPORT_GAPS)
def test_a_report_survives_the_death_of_its_worker(app: Flask, ada: Person, kill_at: Killer, gap: str) -> None:
    job_id = accept(app, ada, "report.build", REPORT)
    kill_at(gap, "work", "report.build", REPORT)
    assert recover(app, "report.build", job_id) == "succeeded"
    with app.app_context():
        assert sorted(db.session.scalars(select(Artifact.name))) == ["manifest.json", "report.csv"]
    assert broken(app) == []


@pytest.mark.parametrize("gap", SUBMIT_GAPS)
def test_a_client_that_asks_again_has_one_job(app: Flask, ada: Person, kill_at: Killer, gap: str) -> None:
    kill_at(gap, "submit", "report.build", REPORT)
    with app.app_context():
        assert db.session.query(Job).count() == SUBMIT_GAPS[gap]
    once = Once("sweep", "the same key", "the same request")
    job_id = accept(app, ada, "report.build", REPORT, once=once)
    assert recover(app, "report.build", job_id) == "succeeded"
    with app.app_context():
        assert db.session.query(Job).count() == 1
    assert broken(app) == []


@pytest.mark.parametrize("gap", ["R1a", "R2a", "R3a"])
def test_a_relay_that_dies_loses_nothing(app: Flask, ada: Person, kill_at: Killer, gap: str) -> None:
    job_id = accept(app, ada, "report.build", REPORT, delay=60 if gap == "R1a" else 0)
    with app.app_context(), writing() as session:
        if gap == "R1a":
            session.execute(update(Job).values(run_at=after(-1)))
        if gap == "R2a":
            session.execute(update(Job).values(published_at=None))
    if gap == "R3a":
        kill_at("W1b", "work", "report.build", REPORT)
        with app.app_context(), writing() as session:
            session.execute(update(Job).values(lease_until=after(-60)))
    kill_at(gap, "relay", "report.build", REPORT)
    assert recover(app, "report.build", job_id) == "succeeded"
    assert broken(app) == []
