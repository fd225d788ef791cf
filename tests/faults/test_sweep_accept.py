"""Every named gap of accepting a job and of the relay, visited with SIGKILL in a real process."""

from __future__ import annotations

import hashlib
import os

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.conftest import Person
from tests.faults.ground import Killer, accept, broken, recover
from webapi.extensions import db
from webapi.models import Job, Schedule, Upload
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, kind_named
from webapi.queue.batch import submit_batch
from webapi.queue.disk import DiskStore
from webapi.queue.housekeeping import remove_orphans
from webapi.queue.schedules import fire_due
from webapi.services import schedules
from webapi.services.plans import Plan
from webapi.tasks.report_build import ReportRequest

REPORT = ReportRequest()
SUBMIT_GAPS = {"S1b": 0, "S2a": 0, "S2c": 1, "S3a": 1, "S3c": 1}


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


@pytest.mark.parametrize("gap", SUBMIT_GAPS)
def test_a_batch_is_there_whole_or_not_at_all(app: Flask, ada: Person, kill_at: Killer, gap: str) -> None:
    kill_at(gap, "batch", "report.build", REPORT)
    once = Once("sweep", "the same key", "the same request")
    with app.app_context():
        assert db.session.query(Job).count() == 3 * SUBMIT_GAPS[gap]
        kind = kind_named("report.build")
        found = submit_batch(kind, dict.fromkeys(range(3), REPORT), owner_id=ada.id, once=once, tags=[])
        assert (found.replayed, list(found.ids)) == (bool(SUBMIT_GAPS[gap]), [0, 1, 2])
        assert db.session.query(Job).count() == 3
    assert {recover(app, "report.build", each) for each in found.ids.values()} == {"succeeded"}
    assert broken(app) == []


def test_an_upload_whose_web_server_died_leaves_a_file_that_is_collected(
    app: Flask, ada: Person, kill_at: Killer
) -> None:
    """S1a: the bytes are kept, and no row names them."""
    kill_at("S1a", "upload", "report.build", REPORT)
    sha256 = hashlib.sha256(b"handed in").hexdigest()
    store: DiskStore = app.extensions["files"]
    path = store.path(sha256)
    assert path.read_bytes() == b"handed in"
    os.utime(path, (1, 1))  # a day passes
    with app.app_context():
        assert db.session.query(Upload).count() == 0
        assert remove_orphans(store, int(sha256[:2], 16)) == 1
    assert not path.exists()


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


def test_a_schedule_whose_relay_dies_fires_once(app: Flask, ada: Person, kill_at: Killer) -> None:
    """B1: the job and the next fire time are one transaction."""
    with app.app_context():
        plan = Plan(name="Each day", cron="@daily")
        schedules.create(ada.row, kind_named("report.build"), REPORT, plan)
        with writing() as session:
            session.execute(update(Schedule).values(next_at=after(-60)))
    kill_at("B1", "relay", "report.build", REPORT)
    with app.app_context():
        assert db.session.query(Job).count() == 0
        fire_due()
        (job_id,) = db.session.scalars(select(Job.id))
    assert recover(app, "report.build", job_id) == "succeeded"
    with app.app_context():
        assert db.session.query(Job).count() == 1
    assert broken(app) == []
