"""What is accepted is what is built; a schedule's periods are those of its own days."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from tests.conftest import Person
from webapi.errors import Invalid
from webapi.extensions import db
from webapi.models import Job, Schedule
from webapi.models.transaction import writing
from webapi.queue import cron, kind_named
from webapi.queue.schedules import fire_due
from webapi.services import jobs, schedules
from webapi.services.plans import Plan
from webapi.services.reports import asking, library
from webapi.services.reports.definition import Definition
from webapi.tasks.report_build import ReportRequest

pytestmark = pytest.mark.usefixtures("context")

MONTHLY = Definition.model_validate(
    {
        "title": "Months",
        "sql": "SELECT id FROM jobs WHERE created_at >= $month_from AND created_at < $month_to",
        "parameters": [{"name": "month", "type": "period", "label": "Month", "default": "last_month"}],
    }
)
LAST_MONTH = {"month": "last_month"}


def test_a_job_keeps_the_version_and_the_days_of_the_moment_when_it_was_accepted(ada: Person) -> None:
    report = library.create(ada.row, "months", MONTHLY)
    job = jobs.submit(ada.row, kind_named("report.build"), ReportRequest(report="months"))
    library.change(ada.row, report.id, MONTHLY.model_copy(update={"title": "Changed"}))
    assert job.payload["report"] == "months@1"
    first, dots, last = job.payload["parameters"]["month"].partition("..")
    assert (len(first), dots, len(last)) == (10, "..", 10)


def test_what_does_not_fit_is_refused_before_it_is_accepted(ada: Person) -> None:
    library.create(ada.row, "months", MONTHLY)
    for report, given, pointer in (
        ("months", {"month": "some day"}, "/parameters/month"),
        ("years", {}, "/report"),
        ("months@2", {}, "/report"),
    ):
        with pytest.raises(Invalid) as caught:
            jobs.submit(
                ada.row,
                kind_named("report.build"),
                ReportRequest.model_validate({"report": report, "parameters": given}),
            )
        assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_a_monthly_schedule_builds_each_month_of_its_own_zone(ada: Person) -> None:
    """Over both changes of the clock, a leap day, and month ends at which it is another day in UTC."""
    library.create(ada.row, "months", MONTHLY)
    plan = Plan(name="Monthly", cron="0 0 1 * *", timezone="Europe/Zurich", catchup="all")
    request = ReportRequest(report="months", parameters=LAST_MONTH)
    row = schedules.create(ada.row, kind_named("report.build"), request, plan)
    begin = datetime(2023, 9, 30, 22, tzinfo=UTC)  # midnight of 1 October in Zurich
    with writing() as session:
        session.execute(update(Schedule).values(next_at=begin))
    fire_due()
    fired = db.session.scalars(select(Job).where(Job.schedule_id == row.id).order_by(Job.scheduled_for)).all()
    assert [job.scheduled_for for job in fired[:8]] == [
        datetime(2023, 9, 30, 22, tzinfo=UTC),
        datetime(2023, 10, 31, 23, tzinfo=UTC),
        datetime(2023, 11, 30, 23, tzinfo=UTC),
        datetime(2023, 12, 31, 23, tzinfo=UTC),
        datetime(2024, 1, 31, 23, tzinfo=UTC),
        datetime(2024, 2, 29, 23, tzinfo=UTC),
        datetime(2024, 3, 31, 22, tzinfo=UTC),
        datetime(2024, 4, 30, 22, tzinfo=UTC),
    ]
    assert [job.payload["parameters"]["month"] for job in fired[:8]] == [
        "2023-09-01..2023-09-30",
        "2023-10-01..2023-10-31",
        "2023-11-01..2023-11-30",
        "2023-12-01..2023-12-31",
        "2024-01-01..2024-01-31",
        "2024-02-01..2024-02-29",
        "2024-03-01..2024-03-31",
        "2024-04-01..2024-04-30",
    ]
    assert {job.payload["timezone"] for job in fired} == {"Europe/Zurich"}
    assert schedules.find(ada.row, row.id).payload["parameters"] == LAST_MONTH


def test_run_now_means_the_days_of_the_schedules_zone(ada: Person) -> None:
    library.create(ada.row, "months", MONTHLY)
    zone = "Pacific/Kiritimati"  # 14 hours before UTC
    plan = Plan(name="Monthly", cron="0 0 1 * *", timezone=zone)
    row = schedules.create(
        ada.row, kind_named("report.build"), ReportRequest(report="months", parameters={"month": "today"}), plan
    )
    job = schedules.run_now(ada.row, row.id)
    today = datetime.now(cron.zone(zone)).date().isoformat()
    assert job.payload["parameters"]["month"] == f"{today}..{today}"


def test_a_schedule_of_a_deleted_report_says_so(ada: Person) -> None:
    report = library.create(ada.row, "months", MONTHLY)
    plan = Plan(name="Monthly", cron="0 0 1 * *", timezone="UTC")
    row = schedules.create(ada.row, kind_named("report.build"), ReportRequest(report="months"), plan)
    library.remove(ada.row, report.id)
    with writing() as session:
        session.execute(update(Schedule).values(next_at=datetime(2026, 1, 1, tzinfo=UTC)))
    fire_due()
    assert schedules.find(ada.row, row.id).problem == "You have no report called 'months'."


def test_a_pinned_report_is_pinned_again_to_the_same(ada: Person) -> None:
    library.create(ada.row, "months", MONTHLY)
    once = asking.pinned(ada.id, "months", {}, "Asia/Tokyo", datetime(2026, 5, 31, 20, tzinfo=UTC))
    assert once == ("months@1", {"month": "2026-05-01..2026-05-31"})
    assert asking.pinned(ada.id, *once, "UTC", datetime(2030, 1, 1, tzinfo=UTC)) == once
