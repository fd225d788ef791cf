"""Every named gap of an attempt, visited with SIGKILL in a real process: mails, calls and reports."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from tests.faults.ground import Killer, Zygote, accept, broken, recover
from tests.http_server import Act, HttpServer
from tests.kinds.faulty import Note
from tests.kinds.quick import Line
from tests.processes import settings_of
from tests.smtp_server import SmtpServer
from webapi.extensions import db
from webapi.models import Artifact, Effect, Job
from webapi.models.transaction import writing
from webapi.queue.control import replay
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
# Of a set that dies before it is finished all jobs are done again; of one that is finished, none.
QUICK_GAPS = {"Q3": 1, "W1a": 1, "W1b": 1, "W3": 2, "A2": 2, "C2a": 2, "C2b": 1}
REPORT_GAPS = ["Q3", "W1a", "W1b", "W3", "A1", "A2", "C2a", "C2b"]


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
        assert sorted(db.session.scalars(select(Artifact.name))) == ["jobs.csv", "manifest.json"]
    assert broken(app) == []


@pytest.mark.parametrize("gap", QUICK_GAPS)
def test_a_set_of_quick_jobs_survives_the_death_of_its_worker(
    app: Flask, ada: Person, kill_at: Killer, tmp_path: Path, gap: str
) -> None:
    world = tmp_path / "world"
    world.touch()
    jobs = [accept(app, ada, "test.quick", line := Line(path=str(world), name=name)) for name in ("a", "b", "c")]
    kill_at(gap, "work", "test.quick", line)
    begun = world.read_text().split()
    assert [recover(app, "test.quick", job_id) for job_id in jobs] == ["succeeded"] * 3
    assert world.read_text().split().count("a") == QUICK_GAPS[gap]
    again = [] if gap == "C2b" else ["a", "b", "c"]
    assert sorted(world.read_text().split()) == sorted(begun + again)
    assert broken(app) == []


def test_a_job_whose_worker_dies_in_a_heartbeat_runs_again(
    app: Flask, ada: Person, kill_at: Killer, tmp_path: Path
) -> None:
    """W2."""
    note = Note(path=str(tmp_path / "note"))
    job_id = accept(app, ada, "test.slow", note)
    kill_at("W2", "work", "test.slow", note)
    Path(note.path + ".go").touch()
    assert recover(app, "test.slow", job_id) == "succeeded"
    assert len(note.lines()) == 2
    assert broken(app) == []


def test_a_file_for_which_there_is_no_room_fails_its_job_and_leaves_no_row(
    app: Flask, ada: Person, tmp_path: Path, zygote: Zygote
) -> None:
    """A2: no row without its bytes. Run again with room enough, the job is done."""
    job_id = accept(app, ada, "test.bigfile", Note())
    log = tmp_path / "victim.log"
    assert zygote.run(settings_of(app), log, "work with little room", "test.bigfile", str(ada.id), "{}") == 0
    with app.app_context():
        job = db.session.get_one(Job, job_id)
        assert (job.state, job.error_public) == ("failed", "File too large (OSError).")
        assert db.session.query(Artifact).count() == 0
        with writing() as session:
            replay(session, job_id, "ada")
    assert broken(app) == []
    assert recover(app, "test.bigfile", job_id) == "succeeded"
    assert broken(app) == []
