"""How an attempt ends: its effects have the last word, and a replaced one has none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.locks import can_be_referred_to
from tests.queue.acting import Anything, Errands
from tests.queue.attempts import KEYS, attempt_at
from tests.queue.rows import accept, artifacts, change, effects, job, states
from webapi.errors import Permanent, Transient
from webapi.models import EffectState, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import Snooze, finish, kind_named, new_file
from webapi.queue.attempt import Attempt, Replaced
from webapi.queue.effects import outstanding
from webapi.queue.run import work

ANSWERS = [
    ("done", "done", ("succeeded", None, None)),
    ("done", "unknown", ("uncertain", "uncertain", "1 of 2 ended without an answer.")),
    ("done", "refused", ("failed", "refused", "1 of 2 were refused.")),
    ("unknown", "refused", ("uncertain", "uncertain", "1 of 2 ended without an answer.")),
]


@pytest.mark.parametrize(("first", "second", "verdict"), ANSWERS)
def test_the_effects_of_a_job_are_its_verdict(
    attempt: Attempt, first: str, second: str, verdict: tuple[str, str | None, str | None]
) -> None:
    for act, answer in zip(outstanding(KEYS), (first, second), strict=True):
        act.mark()
        act.settle(EffectState(answer))
    finish.succeeded(attempt, {"sent": 2})
    row = job(attempt.job_id)
    assert (row.state, row.error_code, row.error_public) == verdict
    assert (row.result, row.lease_owner, row.lease_until) == ({"sent": 2}, None, None)
    assert row.finished_at is not None


def test_an_act_that_was_never_settled_makes_the_job_uncertain(attempt: Attempt) -> None:
    outstanding(["one"])[0].mark()
    assert finish.failed(attempt, Permanent("No.")) is State.UNCERTAIN
    assert effects(attempt.job_id)["one"].state == "unknown"


def test_what_was_left_undone_is_not_called_refused(attempt: Attempt) -> None:
    assert finish.succeeded(attempt, None) is State.FAILED
    assert "refused" not in (job(attempt.job_id).error_public or "")


ENDS: dict[str, Callable[[Attempt], State]] = {
    "tried again": lambda attempt: finish.failed(attempt, Transient("Later.")),
    "failed": lambda attempt: finish.failed(attempt, Permanent("No.")),
    "too early": lambda attempt: finish.snoozed(attempt, Snooze(5, "Too early.")),
}


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
@pytest.mark.parametrize("end", ENDS)
def test_a_heartbeat_that_writes_the_log_does_not_wait_for_the_end(ground: Flask, attempt: Attempt, end: str) -> None:
    """It holds the row of the log then, which the end is to write too."""
    with writing():
        ENDS[end](attempt)
        assert can_be_referred_to("jobs", attempt.job_id)


def test_success_is_full_progress_without_a_note(attempt: Attempt) -> None:
    change(attempt.job_id, progress=40, progress_note="half way")
    for act in outstanding(KEYS):
        act.mark()
        act.settle(EffectState.DONE)
    finish.succeeded(attempt, None)
    assert (job(attempt.job_id).progress, job(attempt.job_id).progress_note) == (100, None)


def test_a_replaced_attempt_writes_nothing_at_all(attempt: Attempt) -> None:
    new_file("late.txt", "text/plain").write_text("too late")
    change(attempt.job_id, attempt=attempt.number + 1)
    with pytest.raises(Replaced):
        finish.succeeded(attempt, "late")
    with pytest.raises(Replaced):
        finish.failed(attempt, OSError())
    row = job(attempt.job_id)
    assert (row.state, row.result, row.error_code, artifacts(row.id)) == ("running", None, None, [])
    assert states(row.id) == ["queued", "running"]


def test_an_attempt_at_a_job_that_is_over_writes_nothing(attempt: Attempt) -> None:
    change(attempt.job_id, state=State.CANCELLED, finished_at=now(), lease_until=None)
    with pytest.raises(Replaced):
        finish.succeeded(attempt, "late")
    assert job(attempt.job_id).result is None


def test_a_file_is_in_the_store_before_its_row_names_it(attempt: Attempt, ground: Flask) -> None:
    new_file("hello.txt", "text/plain").write_text("hello")
    finish.succeeded(attempt, None)
    (row,) = artifacts(attempt.job_id)
    assert (row.name, row.size, row.media_type, row.attempt) == ("hello.txt", 5, "text/plain", 1)
    assert ground.extensions["files"].path(row.sha256).read_bytes() == b"hello"


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("error", "after_that"),
    [
        (Transient("Come back."), "retrying"),
        (ConnectionRefusedError(111, "Connection refused"), "retrying"),
        (Permanent("Never."), "failed"),
        (ValueError("canary"), "failed"),
        (SystemExit(3), "failed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_may_pass_is_tried_again(error: BaseException, after_that: str) -> None:
    job_id = accept("test.flaky", Errands())
    with attempt_at("test.flaky") as attempt:
        assert finish.failed(attempt, error) == after_that
    row = job(job_id)
    assert (row.state, row.lease_until, row.finished_at is None) == (after_that, None, after_that == "retrying")
    assert "canary" not in f"{row.error_public} {row.error_code}"


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("number", "least", "most"), [(1, 0.05, 0.1), (2, 0.1, 0.2)])
def test_the_wait_doubles_from_attempt_to_attempt(number: int, least: float, most: float) -> None:
    job_id = accept("test.flaky", Errands())
    change(job_id, attempt=number - 1)
    began = datetime.now(UTC)
    with attempt_at("test.flaky") as attempt:
        finish.failed(attempt, Transient("Come back."))
    wait = job(job_id).run_at - began
    assert timedelta(seconds=least) < wait < timedelta(seconds=most + 1)


def test_the_other_side_may_ask_for_a_longer_wait(attempt: Attempt) -> None:
    finish.failed(attempt, Transient("Busy.", retry_after=300))
    assert job(attempt.job_id).run_at - datetime.now(UTC) > timedelta(seconds=295)


def test_the_last_attempt_of_the_budget_is_the_last(attempt: Attempt) -> None:
    attempt.budget = attempt.number
    assert finish.failed(attempt, Transient("Come back.")) is State.FAILED
    assert job(attempt.job_id).error_public == "Come back."


def test_a_retry_that_would_come_too_late_is_not_waited_for(attempt: Attempt) -> None:
    change(attempt.job_id, deadline_at=after(100))
    assert finish.failed(attempt, Transient("Busy.", retry_after=300)) is State.FAILED


def test_a_job_that_is_to_stop_is_not_tried_again(attempt: Attempt) -> None:
    change(attempt.job_id, cancel_requested_at=now())
    assert finish.failed(attempt, Transient("Come back.")) is State.CANCELLED
    assert job(attempt.job_id).error_public == "Cancelled while it ran; 0 of 2 effects were done."


def test_a_job_that_was_stopped_over_an_open_act_is_uncertain(attempt: Attempt) -> None:
    outstanding(KEYS)[0].mark()
    assert finish.cancelled(attempt) is State.UNCERTAIN


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("what", ["nan", "set", "nul"])
def test_a_result_that_no_database_holds_fails_its_job(what: str, owner: object) -> None:
    job_id = accept("return.odd", Anything(value=what))
    work(kind_named("return.odd"))
    row = job(job_id)
    assert (row.state, row.attempt, row.result) == ("failed", 1, None)


def test_a_file_that_was_announced_and_not_written_fails_the_job(owner: object) -> None:
    job_id = accept("announce.file", Anything())
    work(kind_named("announce.file"))
    assert job(job_id).state == "failed"
