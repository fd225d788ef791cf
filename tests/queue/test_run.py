"""Whole attempts, from a hint to the end, in a real worker."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from tests.conftest import Live
from tests.kinds.faulty import Note
from tests.kinds.quick import Line
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, JobEvent
from webapi.queue import gates, submit


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


def done_together(live: Live, kind: str, lines: list[Line]) -> list[Job]:
    """Jobs that one claim finds, when they are over."""
    with live.app.app_context():
        gates.pause(kind, "tests")
        jobs = [submit(kind, line, owner_id=live.ada.id).id for line in lines]
        gates.resume(kind)
    return [finished(live, job_id, seconds=40) for job_id in jobs]


def test_a_job_that_kills_its_worker_takes_none_of_its_set_with_it(live: Live, tmp_path: Path) -> None:
    world = tmp_path / "world"
    lines = [Line(path=str(world), name=str(number), crash=number == 3) for number in range(8)]
    ends = done_together(live, "test.quick", lines)
    assert [job.state for job in ends] == ["failed" if line.crash else "succeeded" for line in lines]
    assert (ends[3].crash_count, ends[3].error_code) == (3, "crashed")
    assert all(job.crash_count <= 1 for job in ends if job is not ends[3])
    assert all(world.read_text().split().count(line.name) <= (3 if line.crash else 2) for line in lines)


@pytest.mark.soak
def test_a_job_that_is_ended_at_its_limit_ends_none_of_its_set(live: Live, tmp_path: Path) -> None:
    """Those before it are written down; those behind it are handed back before, while it still runs."""
    world = tmp_path / "world"
    lines = [Line(path=str(world), name=str(number), crash=number == 3) for number in range(8)]
    ends = done_together(live, "test.heedless", lines)
    assert [job.state for job in ends] == ["failed" if line.crash else "succeeded" for line in lines]
    assert ends[3].error_public == "The job took longer than its limit of 1 seconds."
    assert sorted(world.read_text().split()) == [line.name for line in lines]
    assert [(job.crash_count, job.attempt_budget - job.attempt) for job in ends] == [(0, 4)] * 8
