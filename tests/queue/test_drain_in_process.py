"""Handing back, step by step."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.queue.attempts import attempt_at
from tests.queue.rows import change, job, states
from webapi.models import EffectState
from webapi.models.columns import after
from webapi.queue import finish
from webapi.queue.attempt import Attempt, Replaced
from webapi.queue.audit import audit
from webapi.queue.drain import hand_back
from webapi.queue.effects import outstanding
from webapi.queue.sweep import sweep


def handed_back(attempt: Attempt) -> bool:
    return hand_back(attempt.job_id, attempt.number)


def test_it_is_queued_again_with_the_attempt_given_back(attempt: Attempt) -> None:
    budget = job(attempt.job_id).attempt_budget
    assert handed_back(attempt)
    row = job(attempt.job_id)
    assert (row.state, row.attempt, row.attempt_budget, row.crash_count) == ("queued", 1, budget + 1, 0)
    assert states(attempt.job_id) == ["queued", "running", "queued"]


def test_what_the_process_writes_after_that_does_not_count(attempt: Attempt) -> None:
    (act, *_) = outstanding(["one"])
    assert handed_back(attempt)
    with pytest.raises(Replaced):
        act.mark()
    with pytest.raises(Replaced):
        finish.succeeded(attempt, None)
    assert job(attempt.job_id).state == "queued"


def test_the_answer_to_an_act_that_was_under_way_still_counts(attempt: Attempt) -> None:
    (act, *_) = outstanding(["one"])
    act.mark()
    assert handed_back(attempt)
    act.settle(EffectState.DONE, code=250, reply="well")
    with attempt_at():
        assert [each.key for each in outstanding(["one", "two"])] == ["two"]


def test_a_job_that_moved_on_is_left_alone(attempt: Attempt) -> None:
    finish.succeeded(attempt, None)
    assert not handed_back(attempt)


def test_a_job_that_is_to_be_cancelled_is_cancelled_and_waits_for_nobody(ground: Flask, attempt: Attempt) -> None:
    change(attempt.job_id, cancel_requested_at=after(0))
    assert handed_back(attempt)
    sweep(ground)
    row = job(attempt.job_id)
    assert (row.state, row.error_public) == ("cancelled", "Cancelled; its worker ended before it could stop by itself.")
    assert [finding.name for finding in audit(files=False) if finding.offenders] == []
