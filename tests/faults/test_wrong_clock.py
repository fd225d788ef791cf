"""A worker whose clock is two hours off: jobs go by the database's clock alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from tests.conftest import Person
from tests.databases import SQLITE_IN_THE_SOAK
from tests.faults.ground import broken
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, Schedule
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.services import schedules
from webapi.services.plans import Plan
from webapi.tasks.report_build import ReportRequest

CLOCK = Path(__file__).parent / "clock"
DELAY = 4.0  # seconds


@pytest.fixture(params=[7200, -7200], ids=["ahead", "behind"])
def wrong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started from here on lives two hours from now."""
    monkeypatch.setenv("PYTHONPATH", str(CLOCK))
    monkeypatch.setenv("CLOCK_SHIFT", str(request.param))


def row(app: Flask, job_id: UUID) -> Job:
    with app.app_context():
        return db.session.get_one(Job, job_id)


def told_by(worker: RealWorker) -> datetime:
    """The time that a worker writes into its log."""
    found = re.search(r"^(\S+Z) \[info", worker.output(), re.MULTILINE)
    assert found is not None
    return datetime.fromisoformat(found[1])


@SQLITE_IN_THE_SOAK
@pytest.mark.usefixtures("wrong")
def test_delays_retries_leases_and_schedules_hold(
    make_app: Callable[..., Flask], ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    app = make_app(LEASE_SECONDS=3)
    slow, flaky = Note(path=str(tmp_path / "slow")), Note(path=str(tmp_path / "flaky"))
    assert abs(told_by(start_worker(app)) - datetime.now(UTC)) > timedelta(hours=1)
    start_worker(app)  # its relay would take the other's leases, if it went by its own clock
    with app.app_context():
        long_one = submit("test.slow", slow, owner_id=ada.id).id
        retried = submit("test.flaky", flaky, owner_id=ada.id).id
        later = submit("test.note", Note(path=str(tmp_path / "note")), owner_id=ada.id, delay=DELAY).id
        plan = Plan(name="Each day", cron="@daily")
        schedule_id = schedules.create(ada.row, kind_named("report.build"), ReportRequest(), plan).id
        with writing() as session:
            session.execute(update(Schedule).values(next_at=after(-60)))
    until(lambda: row(app, later).state == "succeeded", seconds=40, what="the delayed job")
    until(lambda: row(app, retried).state == "succeeded", seconds=40, what="the job that is tried again")
    assert row(app, long_one).state == "running"  # for longer than its lease by now
    Path(slow.path + ".go").touch()
    until(lambda: row(app, long_one).state == "succeeded", what="the long job")
    delayed = row(app, later)
    assert delayed.started_at is not None
    assert (delayed.started_at - delayed.created_at).total_seconds() >= DELAY
    assert [row(app, each).attempt for each in (long_one, retried, later)] == [1, 2, 1]
    with app.app_context():
        history = schedules.history(schedules.find(ada.row, schedule_id))
        assert len(history) == 1
    assert broken(app) == []
