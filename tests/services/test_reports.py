"""Reports say what they hold, and hold what they say."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Artifact, Job
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.queue.run import work
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
    submit("report.build", ReportRequest(**options), owner_id=ada.id)
    work(kind_named("report.build"))
    paths = {row.name: app.extensions["files"].path(row.sha256) for row in db.session.scalars(select(Artifact))}
    manifest = json.loads(paths.pop("manifest.json").read_text())
    return next(iter(paths.values())), manifest


def test_every_row_is_there_and_the_totals_are_those_of_the_rows(app: Flask, ada: Person, eve: Person) -> None:
    add_jobs(ada.id, 2500)
    add_jobs(eve.id, 3)
    path, manifest = build(app, ada, kind="test.old")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (len(rows), manifest["rows"], manifest["completeness"]) == (2500, 2500, "complete")
    assert manifest["totals"]["attempts"] == sum(int(row["attempts"]) for row in rows) == 5000
    assert len({row["id"] for row in rows}) == 2500


def test_the_manifest_has_the_sha256_of_the_file(app: Flask, ada: Person) -> None:
    path, manifest = build(app, ada)
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_other_formats_hold_the_same_rows(app: Flask, ada: Person) -> None:
    add_jobs(ada.id, 3)
    path, manifest = build(app, ada, format="json", kind="test.old", title='"quoted" <b>')
    document = json.loads(path.read_text())
    assert (document["title"], len(document["rows"]), manifest["rows"]) == ('"quoted" <b>', 3, 3)


def test_html_shows_a_title_and_runs_none(app: Flask, ada: Person) -> None:
    path, _ = build(app, ada, format="html", title="<script>alert(1)</script>")
    assert "<script>" not in path.read_text()
    assert "&lt;script&gt;" in path.read_text()
