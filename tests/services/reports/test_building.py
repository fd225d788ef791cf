"""Reports say what they hold, and hold what they say."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from uuid_utils.compat import uuid7

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Artifact, Job
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.queue.run import work
from webapi.tasks.email_send import Email
from webapi.tasks.report_build import ReportRequest

pytestmark = pytest.mark.usefixtures("context")


def add_jobs(owner: UUID, count: int) -> None:
    fixed = {"owner_id": owner, "kind": "test.old", "payload": {}, "queue": "default", "state": "succeeded"}
    with writing() as session:
        for _ in range(count):
            moments = {"run_at": now(), "finished_at": now()}
            session.execute(insert(Job).values(id=uuid7(), attempt=2, attempt_budget=5, **fixed, **moments))


def build(app: Flask, ada: Person, **options: Any) -> tuple[Path, dict[str, Any]]:
    """The report's file, and its manifest."""
    job_id = submit("report.build", ReportRequest(**options), owner_id=ada.id).id
    work(kind_named("report.build"))
    return built(app, job_id)


def built(app: Flask, job_id: UUID) -> tuple[Path, dict[str, Any]]:
    db.session.rollback()
    job = db.session.get_one(Job, job_id, populate_existing=True)
    assert job.state == "succeeded", job.error_public
    rows = db.session.scalars(select(Artifact).where(Artifact.job_id == job_id))
    paths = {row.name: app.extensions["files"].path(row.sha256) for row in rows}
    manifest = json.loads(paths.pop("manifest.json").read_text())
    assert isinstance(job.result, dict)
    assert {name: value for name, value in job.result.items() if name != "reused_from"} == manifest
    return paths[manifest["file"]], manifest


def test_every_row_is_there_and_the_totals_are_those_of_the_rows(app: Flask, ada: Person, eve: Person) -> None:
    add_jobs(ada.id, 2500)
    add_jobs(eve.id, 3)
    path, manifest = build(app, ada, parameters={"kind": "test.old"})
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (len(rows), manifest["rows"], manifest["complete"]) == (2500, 2500, True)
    assert manifest["totals"]["attempts"] == str(sum(int(row["attempts"]) for row in rows)) == "5000"
    assert len({row["id"] for row in rows}) == 2500


def test_a_job_that_was_accepted_before_there_were_parameters_is_built(app: Flask, ada: Person) -> None:
    add_jobs(ada.id, 2)
    job_id = submit("report.build", ReportRequest(), owner_id=ada.id).id
    kept = {"title": "Old", "days": 7, "kind": "test.old", "format": "csv", "mail_me": False}
    with writing() as session:
        session.execute(update(Job).where(Job.id == job_id).values(payload=kept))
    work(kind_named("report.build"))
    _, manifest = built(app, job_id)
    assert (manifest["title"], manifest["rows"]) == ("Old", 2)


def test_the_manifest_has_the_sha256_of_the_file(app: Flask, ada: Person) -> None:
    path, manifest = build(app, ada)
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["csv", "json", "html", "xlsx", "parquet", "pdf"])
def test_each_format_is_built(app: Flask, ada: Person, kind: str) -> None:
    add_jobs(ada.id, 3)
    path, manifest = build(app, ada, format=kind, title='"quoted" <b>')
    assert (manifest["file"], manifest["rows"], manifest["title"]) == (f"jobs.{kind}", 4, '"quoted" <b>')
    assert path.stat().st_size > 100


def test_html_shows_a_title_and_runs_none(app: Flask, ada: Person) -> None:
    path, _ = build(app, ada, format="html", title="<script>alert(1)</script>")
    assert "<script>" not in path.read_text()
    assert "&lt;script&gt;" in path.read_text()


def test_a_report_that_has_too_many_rows_says_so(app: Flask, ada: Person) -> None:
    app.config["REPORT_ROWS"] = 2
    add_jobs(ada.id, 3)
    _, manifest = build(app, ada)
    assert manifest["rows"] == 2
    assert manifest["truncated"] == "truncated at 2 rows because a report may have no more"


def test_of_what_is_not_the_owners_there_is_nothing(app: Flask, ada: Person, eve: Person) -> None:
    add_jobs(eve.id, 5)
    path, manifest = build(app, ada)
    assert manifest["rows"] == 1
    assert str(eve.id) not in path.read_text()


def test_receipts_are_a_table_too(app: Flask, ada: Person) -> None:
    mail = Email(to=["delivered@simulator.webapi", "refused@simulator.webapi"], subject="s", text="t")
    submit("email.send", mail, owner_id=ada.id)
    work(kind_named("email.send"))
    path, _ = build(app, ada, report="receipts")
    with path.open(newline="") as file:
        rows = {row["target"]: row["state"] for row in csv.DictReader(file)}
    assert rows == {"delivered@simulator.webapi": "done", "refused@simulator.webapi": "refused"}


def test_a_day_begins_in_the_time_zone_of_the_report(app: Flask, ada: Person) -> None:
    add_jobs(ada.id, 1)
    moment = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # half past midnight of 1 November in Zurich
    with writing() as session:
        session.execute(update(Job).values(created_at=moment))
    for zone, rows in (("Europe/Zurich", 0), ("UTC", 1)):
        job_id = submit(
            "report.build",
            ReportRequest(parameters={"period": "2026-10-01..2026-10-31"}, timezone=zone),
            owner_id=ada.id,
        ).id
        work(kind_named("report.build"))
        assert built(app, job_id)[1]["rows"] == rows


def test_nothing_of_a_build_is_left_behind(app: Flask, ada: Person) -> None:
    build(app, ada)
    assert list((app.extensions["files"].root / "staging").glob("*/*")) == []
