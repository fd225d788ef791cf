"""Whoever waits for a callback gets it once, although the worker is killed at any gap on the way to it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests.conftest import Person
from tests.faults.ground import Killer, accept, broken, recover
from tests.http_server import HttpServer
from webapi.extensions import db
from webapi.models import Job
from webapi.tasks.http_call import HttpCall
from webapi.tasks.report_build import ReportRequest

REPORT = ReportRequest()
GAPS = ["Q3", "W1a", "W1b", "W3", "A1", "A2", "C2a", "C2b"]
CALL_GAPS = ["Q3", "W1a", "E0", "E1a", "C2a", "C2b"]
UNSEEN = {"E1b": 0, "E2": 1, "E3a": 1}


def calls(app: Flask, job_id: UUID) -> list[UUID]:
    with app.app_context():
        return [row.id for row in db.session.query(Job).filter_by(parent_id=job_id, kind="http.call")]


def told(service: HttpServer) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in service.stored]


@pytest.mark.parametrize("gap", GAPS)
def test_a_callback_survives_the_death_of_its_jobs_worker(
    app: Flask, ada: Person, service: HttpServer, kill_at: Killer, gap: str
) -> None:
    job_id = accept(app, ada, "report.build", REPORT, callback_url=service.url())
    kill_at(gap, "work", "report.build", REPORT)
    assert len(calls(app, job_id)) == (gap == "C2b"), "it is there with the verdict, or neither is"
    assert recover(app, "report.build", job_id) == "succeeded"
    (call_id,) = calls(app, job_id)
    assert recover(app, "http.call", call_id) == "succeeded"
    assert [(body["id"], body["state"]) for body in told(service)] == [(str(job_id), "succeeded")]
    assert broken(app) == []


@pytest.mark.parametrize("gap", [*CALL_GAPS, *UNSEEN])
def test_a_callback_survives_the_death_of_its_own_worker(
    app: Flask, ada: Person, service: HttpServer, kill_at: Killer, gap: str
) -> None:
    """As any call: what may have arrived is sent again under its webhook-id, and counted."""
    job_id = accept(app, ada, "report.build", REPORT, callback_url=service.url())
    assert recover(app, "report.build", job_id) == "succeeded"
    (call_id,) = calls(app, job_id)
    kill_at(gap, "work", "http.call", HttpCall(url=service.url()))
    assert recover(app, "http.call", call_id) == "succeeded"
    assert calls(app, job_id) == [call_id]
    assert len(told(service)) == 1 + UNSEEN.get(gap, 0)
    assert len({request.headers["webhook-id"] for request in service.received}) == 1
    assert broken(app) == []
