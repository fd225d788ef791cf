"""What belongs to a job: its parent, its children, its schedule, and nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import kind_named
from webapi.services import job_pages, jobs, schedules
from webapi.services.plans import Plan
from webapi.tasks.report_build import ReportRequest

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


def report(person: Person, **columns: object) -> Job:
    job = jobs.submit(person.row, kind_named("report.build"), ReportRequest())
    if columns:
        db.session.execute(update(Job).where(Job.id == job.id).values(**columns))
        db.session.commit()
    return jobs.find(person.row, job.id)


def test_parent_children_and_schedule_are_found(ada: Person) -> None:
    plan = Plan(name="Weekly", cron="@weekly")
    schedule = schedules.create(ada.row, kind_named("report.build"), ReportRequest(), plan)
    parent = report(ada)
    child = report(ada, parent_id=parent.id, schedule_id=schedule.id)
    found = job_pages.read(child).around
    assert found.parent is not None
    assert found.schedule is not None
    assert (found.parent.id, found.schedule.id, found.children) == (parent.id, schedule.id, 0)
    assert [each.id for each in job_pages.read(parent).around.newest] == [child.id]


def test_of_many_children_the_newest_are_shown_and_all_are_counted(ada: Person) -> None:
    parent = report(ada)
    children = [report(ada, parent_id=parent.id).id for _ in range(job_pages.MOST_CHILDREN + 2)]
    found = job_pages.read(parent).around
    assert (found.children, [each.id for each in found.newest]) == (len(children), children[:1:-1])


def test_anothers_job_is_no_parent_and_no_child(ada: Person, eve: Person) -> None:
    mine = report(ada)
    theirs = report(eve, parent_id=mine.id)
    assert job_pages.read(theirs).around.parent is None
    assert job_pages.read(mine).around.children == 0
