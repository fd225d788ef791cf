"""`flask schedules list`."""

from __future__ import annotations

import json

from flask import Flask

from tests.conftest import Person
from webapi.queue import kind_named
from webapi.services import schedules
from webapi.services.plans import Plan
from webapi.tasks.report_build import ReportRequest


def test_schedules_are_listed_with_what_they_wait_for(app: Flask, ada: Person) -> None:
    with app.app_context():
        kind = kind_named("report.build")
        schedules.create(ada.row, kind, ReportRequest(), Plan(name="Daily", cron="@daily"))
        schedules.create(ada.row, kind, ReportRequest(), Plan(name="Resting", cron="@hourly"), paused=True)
    run = app.test_cli_runner().invoke
    lines = run(args=["schedules", "list", "--owner", ada.email]).output.splitlines()
    assert [line.split()[-1] for line in lines] == ["Daily", "Resting"]
    assert "paused" in lines[1]
    listed = json.loads(run(args=["schedules", "list", "--owner", ada.email, "--json"]).output)
    assert [(each["name"], each["paused"]) for each in listed] == [("Daily", False), ("Resting", True)]
