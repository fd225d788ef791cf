"""The same question twice is answered once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from tests.conftest import Person
from tests.queue.attempts import holding
from tests.services.reports.test_building import add_jobs, built
from webapi.extensions import db
from webapi.models import Artifact, Job, JobEvent, ReportBuild, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import Snooze, finish, kind_named, new_file, submit
from webapi.queue.attempt import Attempt
from webapi.queue.claim import claim
from webapi.queue.run import work
from webapi.services.reports import sharing
from webapi.tasks.report_build import ReportRequest

pytestmark = pytest.mark.usefixtures("context")


def ask(ada: Person, **options: object) -> UUID:
    # A period that ends before today: no job of this test is among its rows.
    parameters = {"period": "2026-01-01..2026-01-31"}
    request = ReportRequest.model_validate({"parameters": parameters, **options})
    job_id: UUID = submit("report.build", request, owner_id=ada.id).id
    return job_id


def do() -> None:
    work(kind_named("report.build"))


def change(job_id: UUID, **values: object) -> None:
    with writing() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def job(job_id: UUID) -> Job:
    db.session.rollback()
    return db.session.get_one(Job, job_id, populate_existing=True)


def files(job_id: UUID) -> dict[str, str]:
    rows = db.session.execute(select(Artifact.name, Artifact.sha256).where(Artifact.job_id == job_id))
    return {name: sha256 for name, sha256 in rows}


def taken() -> Attempt:
    attempt = claim(kind_named("report.build"))
    assert attempt is not None
    return attempt


def test_the_second_waits_for_the_first_and_takes_its_files(app: Flask, ada: Person) -> None:
    first, second = ask(ada), ask(ada)
    running, waiting = taken(), taken()
    assert (running.job_id, waiting.job_id) == (first, second)
    assert sharing.earlier(running, "f", None) is None
    for running_for, wait in ((0, 1), (40, 10), (4000, 30)):
        change(first, started_at=after(-float(running_for)))
        with pytest.raises(Snooze, match=f"The job {first} builds the same report") as later:
            sharing.earlier(waiting, "f", None)
        assert later.value.seconds == pytest.approx(wait, abs=1)
    with holding(running):
        new_file("jobs.csv", "text/csv").write_text("a")
        finish.succeeded(running, {"file": "jobs.csv"})
    found = sharing.earlier(waiting, "f", None)
    assert found is not None
    assert found.job_id == first
    with holding(waiting):
        finish.succeeded(waiting, sharing.copied(found))
    assert result(second) == {"file": "jobs.csv", "reused_from": str(first)}
    assert files(second) == files(first) != {}


def test_nobody_waits_for_a_build_that_was_lost(app: Flask, ada: Person) -> None:
    first, _ = ask(ada), ask(ada)
    running, waiting = taken(), taken()
    assert sharing.earlier(running, "f", None) is None
    change(first, state=State.RETRYING, lease_until=None, lease_owner=None)
    assert sharing.earlier(waiting, "f", None) is None
    change(first, state=State.QUEUED)
    with pytest.raises(Snooze):
        sharing.earlier(taken(), "f", None)


def result(job_id: UUID) -> dict[str, Any]:
    found = job(job_id).result
    assert isinstance(found, dict)
    return found


def test_without_a_word_a_later_one_is_built_anew(app: Flask, ada: Person) -> None:
    first = ask(ada)
    do()
    second = ask(ada)
    do()
    assert job(first).state == job(second).state == State.SUCCEEDED
    assert "reused_from" not in result(second)


def test_what_was_built_before_its_own_time_came_is_not_taken(app: Flask, ada: Person) -> None:
    """A job that was accepted early and runs late wants the rows of its own time."""
    waiting = ask(ada)
    change(waiting, state=State.SCHEDULED, run_at=after(3600))
    with writing() as session:
        session.execute(delete(JobEvent).where(JobEvent.job_id == waiting))
    ask(ada)
    do()
    change(waiting, state=State.QUEUED, run_at=now())
    with writing() as session:
        session.add(
            JobEvent(
                job_id=waiting, seq=1, epoch=0, attempt=0, from_state="scheduled", to_state="queued", actor="relay",
                reason="its time has come",
            )
        )  # fmt: skip
    do()
    assert "reused_from" not in result(waiting)


def test_a_job_that_runs_again_over_other_data_forgets_what_it_had_built(app: Flask, ada: Person) -> None:
    first = ask(ada)
    attempt = taken()
    assert (attempt.job_id, sharing.earlier(attempt, "before", 0)) == (first, None)
    assert sharing.earlier(attempt, "after", 0) is None
    db.session.rollback()
    assert db.session.scalars(select(ReportBuild.fingerprint)).all() == ["after"]


@pytest.mark.parametrize(("age", "reused"), [(30, True), (90, False)])
def test_a_young_one_is_taken_and_an_old_one_is_not(app: Flask, ada: Person, age: int, reused: bool) -> None:
    first = ask(ada)
    do()
    with writing() as session:
        session.execute(update(ReportBuild).values(as_of=after(-float(age))))
    second = ask(ada, max_age=60)
    do()
    assert (result(second).get("reused_from") == str(first)) is reused


@pytest.mark.parametrize(
    "other",
    [
        {"format": "json"},
        {"title": "Other"},
        {"timezone": "Europe/Zurich"},
        {"parameters": {"period": "2026-01-01..2026-01-30"}},
        {"report": "receipts"},
        {"max_age": 0},
    ],
)
def test_another_question_is_answered_for_itself(app: Flask, ada: Person, other: dict[str, object]) -> None:
    ask(ada)
    do()
    second = ask(ada, **{"max_age": 600, **other})
    do()
    assert "reused_from" not in result(second)


def test_somebody_else_asks_another_question(app: Flask, ada: Person, eve: Person) -> None:
    ask(ada)
    do()
    second = ask(eve, max_age=600)
    do()
    assert "reused_from" not in result(second)


def test_files_that_are_gone_are_made_again(app: Flask, ada: Person) -> None:
    first = ask(ada)
    do()
    with writing() as session:
        for row in session.scalars(select(Artifact).where(Artifact.job_id == first)):
            session.delete(row)
    second = ask(ada, max_age=600)
    do()
    assert "reused_from" not in result(second)
    assert len(files(second)) == 2


def test_a_build_that_failed_is_followed_by_another(app: Flask, ada: Person) -> None:
    first = ask(ada)
    do()
    change(first, state=State.FAILED, finished_at=now())
    second = ask(ada, max_age=600)
    do()
    assert (job(second).state, "reused_from" in result(second)) == (State.SUCCEEDED, False)


def test_files_survive_the_job_that_made_them(app: Flask, ada: Person) -> None:
    add_jobs(ada.id, 2)
    first = ask(ada)
    do()
    second = ask(ada, max_age=600)
    do()
    with writing() as session:
        session.delete(session.get_one(Job, first))
    path, _ = built(app, second)
    assert path.exists()
    assert result(second)["reused_from"] == str(first)
