"""Whole attempts, from a hint to the end, in a real worker."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from tests.conftest import Live
from tests.kinds.faulty import Note
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, JobEvent
from webapi.queue import submit


@pytest.fixture
def note(tmp_path: Path) -> Note:
    return Note(path=str(tmp_path / "note"))


def accept(live: Live, kind: str, note: Note) -> UUID:
    with live.app.app_context():
        return submit(kind, note, owner_id=live.ada.id).id


def finished(live: Live, job_id: UUID, *, seconds: float = 20) -> Job:
    def over() -> Job | None:
        with live.app.app_context():
            job = db.session.get_one(Job, job_id)
            db.session.expunge(job)
            return job if job.finished_at else None

    return until(over, seconds=seconds, what=f"job {job_id} to finish")


def states(live: Live, job_id: UUID) -> list[str]:
    with live.app.app_context():
        events = db.session.query(JobEvent).filter_by(job_id=job_id).order_by(JobEvent.seq)
        return [event.to_state for event in events]


def test_a_job_runs_once_and_its_result_is_kept(live: Live, note: Note) -> None:
    job_id = accept(live, "test.note", note)
    job = finished(live, job_id)
    assert (job.state, job.result, job.attempt, job.progress) == ("succeeded", {"ran": 1}, 1, 100)
    assert states(live, job_id) == ["queued", "running", "succeeded"]


def test_an_error_that_passes_is_retried_until_it_has_passed(live: Live, note: Note) -> None:
    job_id = accept(live, "test.flaky", note.model_copy(update={"times": 2}))
    job = finished(live, job_id)
    assert (job.state, job.result, job.attempt) == ("succeeded", "well", 3)
    again = ["retrying", "queued", "running"]
    assert states(live, job_id) == ["queued", "running", *again, *again, "succeeded"]


def test_the_budget_ends_the_retries_and_the_reason_is_kept(live: Live, note: Note) -> None:
    job = finished(live, accept(live, "test.flaky", note.model_copy(update={"times": 9})))
    assert (job.state, job.attempt, job.error_code) == ("failed", 3, "os_error")
    assert job.error_public == "Connection refused (ConnectionRefusedError)."


def test_a_failure_tells_the_handler_and_shows_no_private_text(live: Live, note: Note) -> None:
    job_id = accept(live, "test.broken", note)
    job = finished(live, job_id)
    assert (job.state, job.attempt) == ("failed", 1)
    assert "canary" not in (job.error_public or "")
    assert "canary@private.example" not in live.worker.output()
    with live.app.app_context():
        told = until(lambda: db.session.query(Job).filter_by(parent_id=job_id).first(), what="the handler's job")
        told_id = told.id
    assert finished(live, told_id).payload["job_id"] == str(job_id)


@pytest.mark.parametrize("kind", ["test.exit", "test.memory"])
def test_what_would_end_a_worker_fails_only_its_job(live: Live, note: Note, kind: str) -> None:
    assert finished(live, accept(live, kind, note)).state == "failed"
    assert live.worker.process is not None
    assert live.worker.process.poll() is None
    assert finished(live, accept(live, "test.note", note)).state == "succeeded"


def test_a_job_that_takes_too_long_fails_and_says_so(live: Live, note: Note) -> None:
    job = finished(live, accept(live, "test.overtime", note))
    assert (job.state, job.error_public) == ("failed", "The job took longer than its limit of 0.5 seconds.")


def test_a_job_that_takes_no_notice_of_its_limit_is_ended_and_says_so_too(live: Live, note: Note) -> None:
    job = finished(live, accept(live, "test.stubborn", note))
    assert (job.state, job.error_public) == ("failed", "The job took longer than its limit of 0.3 seconds.")
    assert note.lines() == ["began"]
    assert live.worker.main().is_running()


def test_a_file_is_kept_under_its_hash(live: Live, note: Note) -> None:
    job_id = accept(live, "test.file", note)
    assert finished(live, job_id).state == "succeeded"
    answer = live.app.test_client().get(f"/api/v1/jobs/{job_id}/artifacts/hello.txt", headers=live.ada.headers)
    assert answer.data == b"hello"
    assert not list(Path(live.app.config["STORAGE_URL"]).glob("staging/*/*"))


def test_a_child_killed_in_mid_job_costs_seconds_and_no_job(live: Live, note: Note) -> None:
    job_id = accept(live, "test.slow", note)
    (first,) = until(note.lines, what="the job to begin")
    pid = int(first.split()[1])
    next(child for child in live.worker.children() if child.pid == pid).kill()
    until(lambda: len(note.lines()) == 2, seconds=10, what="the second attempt")
    Path(note.path + ".go").touch()
    job = finished(live, job_id)
    assert (job.state, job.attempt, job.crash_count) == ("succeeded", 2, 1)


def test_a_job_that_kills_its_worker_three_times_is_given_up(live: Live, note: Note) -> None:
    job = finished(live, accept(live, "test.crash", note), seconds=40)
    assert (job.state, job.crash_count, job.error_code) == ("failed", 3, "crashed")
    assert len(note.lines()) == 3
