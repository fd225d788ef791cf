"""What a kind's function may say about its attempt, and how it learns that it has been replaced."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask import Flask

from tests.queue.rows import change, job
from webapi.models.columns import now
from webapi.queue import current, new_file, progress
from webapi.queue.attempt import PROGRESS_INTERVAL, Attempt, Cancelled, Replaced


def test_the_attempt_that_runs_is_the_current_one(attempt: Attempt) -> None:
    assert current() is attempt


def test_a_function_that_is_called_by_itself_has_no_attempt(ground: Flask) -> None:
    assert current() is None
    progress(50, "nobody reads this")
    with ground.app_context(), pytest.raises(RuntimeError, match="Files belong to a job"):
        new_file("hello.txt", "text/plain")


@pytest.mark.usefixtures("attempt")
@pytest.mark.parametrize("name", ["", "..", "a/b", "x" * 201, "漢" * 67])
def test_what_no_file_system_takes_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a file"):
        new_file(name, "text/plain")


def test_progress_and_its_note_are_in_the_ledger(attempt: Attempt) -> None:
    progress(41.9, "counting " * 40)
    row = job(attempt.job_id)
    assert row.progress == 41
    assert row.progress_note == ("counting " * 40)[:200]


def test_progress_never_falls_and_stays_in_its_range(attempt: Attempt) -> None:
    told = []
    for percent in (60, 20, 250, -5):
        attempt.reported = 0.0
        progress(percent)
        told.append(job(attempt.job_id).progress)
    assert told == [60, 60, 100, 100]


def test_a_loop_may_report_each_row_without_a_write_for_each(attempt: Attempt) -> None:
    progress(1)
    progress(2)
    assert (job(attempt.job_id).progress, attempt.percent) == (1, 2)
    attempt.reported -= PROGRESS_INTERVAL
    progress(2)
    assert job(attempt.job_id).progress == 2


def test_an_attempt_that_was_replaced_learns_it_when_it_reports(attempt: Attempt) -> None:
    change(attempt.job_id, attempt=attempt.number + 1)
    with pytest.raises(Replaced):
        progress(50)
    assert attempt.lost.is_set()
    assert job(attempt.job_id).progress == 0


def test_an_attempt_of_a_job_that_is_over_learns_it_when_it_reports(attempt: Attempt) -> None:
    change(attempt.job_id, state="cancelled", finished_at=now(), lease_until=None)
    with pytest.raises(Replaced):
        progress(50)


def test_an_attempt_that_is_to_stop_learns_it_when_it_reports(attempt: Attempt) -> None:
    change(attempt.job_id, cancel_requested_at=now())
    with pytest.raises(Cancelled):
        progress(50)


def test_an_attempt_whose_lease_could_not_be_renewed_stops_by_its_own_clock(attempt: Attempt, ground: Flask) -> None:
    attempt.renewed = time.monotonic() - 0.81 * ground.config["LEASE_SECONDS"]
    with pytest.raises(Replaced):
        progress(50)


def test_a_file_is_written_beside_the_others_of_its_attempt(attempt: Attempt, ground: Flask) -> None:
    path = new_file("report.csv", "text/csv")
    path.write_text("a,b\n")
    staging = Path(ground.config["STORAGE_URL"]) / "staging" / str(attempt.job_id) / "1"
    assert path == staging / "report.csv"
    assert attempt.files == {"report.csv": "text/csv"}


@pytest.mark.parametrize("name", ["", ".", "..", "../report.csv", "/etc/passwd", "a/b", "x" * 201])
def test_a_name_that_would_leave_the_folder_is_refused(attempt: Attempt, name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a file"):
        new_file(name, "text/plain")
    assert attempt.files == {}
