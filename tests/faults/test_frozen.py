"""A process that is frozen for longer than its lease, and wakes when others have done its work (W4 of the protocol)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from tests.faults.ground import Frozen, accept, broken, recover
from tests.faults.test_sweep_work import EMAIL, REPORT, TO
from tests.http_server import HttpServer
from tests.smtp_server import SmtpServer
from webapi.extensions import db
from webapi.models import Artifact, Effect, Job
from webapi.tasks.http_call import HttpCall

# What the first recipient has while the process is frozen, and once it has woken: after its mark it may go on.
RECEIPTS = {"E0": (1, 1), "E1b": (0, 1), "E2": (1, 1), "E3a": (1, 1)}
VERDICTS = {"E0": "succeeded", "E1b": "uncertain", "E2": "uncertain", "E3a": "uncertain"}


def row(app: Flask, job_id: UUID) -> dict[str, Any]:
    with app.app_context():
        job = db.session.get_one(Job, job_id)
        return {column.key: getattr(job, column.key) for column in Job.__table__.columns}


@pytest.mark.parametrize("gap", RECEIPTS)
def test_a_mail_whose_sender_was_frozen_arrives_once(
    app: Flask, ada: Person, mail: SmtpServer, tmp_path: Path, gap: str
) -> None:
    job_id = accept(app, ada, "email.send", EMAIL)
    frozen = Frozen(app, ada, tmp_path, gap, "work", "email.send")
    assert recover(app, "email.send", job_id) == VERDICTS[gap]
    before, after = RECEIPTS[gap]
    assert (len(mail.to(TO[0])), len(mail.to(TO[1]))) == (before, 1)
    over = row(app, job_id)
    frozen.wake()
    assert (len(mail.to(TO[0])), len(mail.to(TO[1]))) == (after, 1)
    late = row(app, job_id)
    assert late["attempt"] == over["attempt"]
    if gap == "E0":
        assert late == over
    else:  # its late receipt is the evidence that was missing
        assert (late["state"], effects(app, job_id)) == ("succeeded", {TO[0]: "done", TO[1]: "done"})
    assert broken(app) == []


def effects(app: Flask, job_id: UUID) -> dict[str, str]:
    with app.app_context():
        rows = db.session.scalars(select(Effect).where(Effect.job_id == job_id))
        return {effect.effect_key: effect.state for effect in rows}


@pytest.mark.parametrize("gap", RECEIPTS)
def test_a_call_whose_sender_was_frozen_is_repeated_only_as_the_ledger_says(
    app: Flask, ada: Person, service: HttpServer, tmp_path: Path, gap: str
) -> None:
    job_id = accept(app, ada, "http.call", HttpCall(url=service.url()))
    frozen = Frozen(app, ada, tmp_path, gap, "work", "http.call")
    assert recover(app, "http.call", job_id) == "succeeded"
    over = row(app, job_id)
    frozen.wake()
    assert row(app, job_id) == over
    with app.app_context():
        (effect,) = db.session.scalars(select(Effect).where(Effect.job_id == job_id))
        assert 1 <= len(service.stored) <= 1 + effect.resends
        assert {request.headers["webhook-id"] for request in service.received} == {str(effect.id)}
    assert broken(app) == []


@pytest.mark.parametrize("gap", ["A1", "A2", "C2a"])
def test_a_report_whose_writer_was_frozen_is_that_of_the_other(
    app: Flask, ada: Person, tmp_path: Path, gap: str
) -> None:
    if gap == "C2a" and "sqlite" in app.config["DATABASE_URL"]:
        pytest.skip("on SQLite a process that is frozen inside its transaction keeps every other from writing")
    job_id = accept(app, ada, "report.build", REPORT)
    frozen = Frozen(app, ada, tmp_path, gap, "work", "report.build")
    if gap == "C2a":  # it holds the job's row; nobody can take the job over before it has decided
        frozen.wake()
        assert row(app, job_id)["state"] == "succeeded"
        return
    assert recover(app, "report.build", job_id) == "succeeded"
    over = row(app, job_id)
    frozen.wake()
    assert row(app, job_id) == over
    with app.app_context():
        files = list(db.session.scalars(select(Artifact).where(Artifact.job_id == job_id)))
        assert {file.attempt for file in files} == {2}
    assert broken(app) == []
