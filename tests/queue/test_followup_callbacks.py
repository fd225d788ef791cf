"""Whoever asked to be told of a job's end is told by one call for each end, whoever brought it about."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from tests.kinds.faulty import Note
from tests.queue.acting import Anything, Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import OWNER, accept, change, effects, job, states
from webapi.errors import Permanent, QuotaReached, Transient
from webapi.extensions import db
from webapi.models import Job, State, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import control, finish, kind_named
from webapi.queue.attempt import Replaced, Snooze
from webapi.queue.audit import audit
from webapi.queue.drain import hand_back
from webapi.queue.effects import outstanding
from webapi.queue.endings import EndedJob
from webapi.queue.followup import LARGEST_RESULT, announce_end
from webapi.queue.ledger import Moved
from webapi.queue.run import work
from webapi.queue.sweep import expire, sweep
from webapi.tasks.http_call import HttpCall

pytestmark = pytest.mark.usefixtures("owner")
URL = "https://hooks.example/over?token=t"


def asked(kind: str = "errand.hold", payload: Any = None, **options: Any) -> UUID:
    return accept(kind, payload or Errands(), callback_url=URL, **options)


def told(job_id: UUID) -> list[Job]:
    """The calls, the oldest first."""
    db.session.rollback()
    return list(db.session.query(Job).filter_by(parent_id=job_id).order_by(Job.id))


def bodies(job_id: UUID) -> list[EndedJob]:
    return [EndedJob.model_validate(call.payload["data"]) for call in told(job_id)]


def broken() -> list[str]:
    return [finding.name for finding in audit() if finding.offenders]


def succeed(ground: Flask, job_id: UUID) -> None:
    work(kind_named("errand.hold"))


def fail(ground: Flask, job_id: UUID) -> None:
    with attempt_at() as attempt:
        finish.failed(attempt, Permanent("Never."))


def end_unknown(ground: Flask, job_id: UUID) -> None:
    with attempt_at() as attempt:
        for act in outstanding(["one", "two"]):
            act.mark()
        finish.failed(attempt, Permanent("Never."))


def cancel_waiting(ground: Flask, job_id: UUID) -> None:
    with writing() as session:
        control.cancel(session, job_id, "ada")


def cancel_running(ground: Flask, job_id: UUID) -> None:
    with attempt_at() as attempt:
        cancel_waiting(ground, job_id)
        finish.cancelled(attempt)


def cancel_the_lost(ground: Flask, job_id: UUID) -> None:
    with attempt_at():
        cancel_waiting(ground, job_id)
        change(job_id, lease_until=after(-60))
    sweep(ground)


def crash_too_often(ground: Flask, job_id: UUID) -> None:
    with attempt_at():
        change(job_id, lease_until=after(-60), crash_count=2)
    sweep(ground)


def expire_waiting(ground: Flask, job_id: UUID) -> None:
    change(job_id, deadline_at=after(-1))
    expire()


ENDS: dict[Callable[[Flask, UUID], None], State] = {
    succeed: State.SUCCEEDED,
    fail: State.FAILED,
    end_unknown: State.UNCERTAIN,
    cancel_waiting: State.CANCELLED,
    cancel_running: State.CANCELLED,
    cancel_the_lost: State.CANCELLED,
    crash_too_often: State.FAILED,
    expire_waiting: State.EXPIRED,
}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_every_way_to_an_end_is_told_once(ground: Flask, end: Callable[[Flask, UUID], None]) -> None:
    job_id = asked(tags=["order:7"])
    end(ground, job_id)
    over, (call,), (body,) = job(job_id), told(job_id), bodies(job_id)
    assert (over.state, body.state, body.id, body.kind) == (ENDS[end], ENDS[end], job_id, "errand.hold")
    assert (body.tags, body.attempt, body.seq) == (["order:7"], over.attempt, len(states(job_id)))
    assert (body.error and body.error.code, body.finished_at) == (over.error_code, over.finished_at)
    assert body.url == f"http://127.0.0.1:5000/api/v1/jobs/{job_id}"
    assert (call.kind, call.owner_id, call.state, call.payload["url"]) == ("http.call", OWNER, "queued", URL)
    assert (call.tags, list(effects(call.id))) == (["callback"], ["POST https://hooks.example/over"])
    assert broken() == []


def test_what_is_not_over_is_not_told(ground: Flask) -> None:
    job_id = asked()
    with attempt_at() as attempt:
        finish.failed(attempt, Transient("Later."))
    change(job_id, state=State.QUEUED)
    with attempt_at() as attempt:
        finish.snoozed(attempt, Snooze(0, "too early"))
    change(job_id, state=State.QUEUED)
    with attempt_at() as attempt:
        assert hand_back(job_id, attempt.number)
    with attempt_at():
        change(job_id, lease_until=after(-60))
    sweep(ground)
    assert (job(job_id).state, told(job_id)) == ("retrying", [])


def test_a_job_without_a_callback_tells_nobody() -> None:
    job_id = accept("errand.hold", Errands())
    work(kind_named("errand.hold"))
    assert told(job_id) == []


def test_a_replaced_attempt_tells_nothing() -> None:
    job_id = asked()
    with attempt_at() as attempt:
        change(job_id, attempt=attempt.number + 1)
        with pytest.raises(Replaced):
            finish.failed(attempt, Permanent("Never."))
    assert told(job_id) == []


def test_each_replay_tells_its_end_again_and_the_newer_has_the_higher_number(ground: Flask) -> None:
    job_id = asked()
    fail(ground, job_id)
    with writing() as session:
        control.replay(session, job_id, "ada")
    succeed(ground, job_id)
    first, second = bodies(job_id)
    assert (first.state, second.state, first.seq < second.seq) == ("failed", "succeeded", True)
    assert broken() == []


def test_a_late_verdict_on_an_uncertain_job_is_told_too(ground: Flask) -> None:
    job_id = asked()
    end_unknown(ground, job_id)
    with writing() as session:
        control.resolve(session, job_id, {each.id: "delivered" for each in effects(job_id).values()}, "ada")
    first, second = bodies(job_id)
    assert (first.state, second.state, second.error, first.seq < second.seq) == ("uncertain", "succeeded", None, True)
    assert broken() == []


def test_the_call_falls_with_the_transaction_that_ends_the_job() -> None:
    job_id = asked()
    with suppress(RuntimeError), writing() as session:
        control.cancel(session, job_id, "ada")
        raise RuntimeError
    assert (job(job_id).state, told(job_id)) == ("queued", [])


def test_no_quota_refuses_it(ground: Flask) -> None:
    job_id = asked(quota=1)
    succeed(ground, job_id)
    assert len(told(job_id)) == 1
    assert db.session.get_one(User, OWNER, populate_existing=True).open_jobs == 0, "nor does it take the place of a job"
    asked(quota=1)
    with pytest.raises(QuotaReached):
        asked(quota=1)
    assert broken() == []


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_call_of_what_was_only_played_is_played_too(ground: Flask, sandbox: bool) -> None:
    job_id = asked(sandbox=sandbox)
    succeed(ground, job_id)
    assert [(call.sandbox, body.sandbox) for call, body in zip(told(job_id), bodies(job_id), strict=True)] == [
        (sandbox, sandbox)
    ]


def test_the_call_has_no_callback_of_its_own(ground: Flask) -> None:
    job_id = asked(sandbox=True)
    succeed(ground, job_id)
    work(kind_named("http.call"))
    (call,) = told(job_id)
    assert (call.state, call.callback_url, told(call.id)) == ("succeeded", None, [])
    assert broken() == []


def test_another_call_that_follows_a_job_is_not_taken_for_its_callback(ground: Flask) -> None:
    job_id = asked(tags=["callback"])
    succeed(ground, job_id)
    accept("http.call", HttpCall(url=URL), parent_id=job_id, tags=["other"])
    assert broken() == []


def test_a_failure_handler_is_told_beside_the_callback() -> None:
    job_id = asked("test.broken", Note())
    work(kind_named("test.broken"))
    assert sorted(call.kind for call in told(job_id)) == ["http.call", "test.told"]


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (None, True),
        ({"rows": 3, "name": "ü"}, True),
        ("x" * (LARGEST_RESULT - 2), True),
        ("x" * (LARGEST_RESULT - 1), False),
        ("ü" * (LARGEST_RESULT // 2), False),
        ({"half": "\ud800"}, False),
    ],
    ids=["none", "small", "at the limit", "above it", "above it in bytes", "no text"],
)
def test_a_result_goes_along_when_it_is_small_and_can_be_sent(result: Any, kept: bool) -> None:
    job_id = asked("announce.file", Anything(value="canary-of-the-payload"))
    with attempt_at("announce.file") as attempt:
        finish.succeeded(attempt, result)
    ((body,), (call,)) = bodies(job_id), told(job_id)
    assert (body.result, body.result_left_out) == (result if kept else None, not kept)
    assert "canary" not in str(call.payload), "the payload is nobody's but its owner's"


def test_a_url_that_is_taken_no_more_lets_its_job_end_and_the_audit_says_so(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands(), callback_url="ftp://taken.once/")
    succeed(ground, job_id)
    assert (job(job_id).state, told(job_id), broken()) == ("succeeded", [], ["I17"])


@pytest.mark.parametrize("wrong", ["lost", "doubled"])
def test_the_audit_finds_an_end_that_was_not_told_by_one_call(ground: Flask, wrong: str) -> None:
    job_id = asked()
    succeed(ground, job_id)
    with writing() as session:
        if wrong == "lost":
            session.execute(update(Job).where(Job.parent_id == job_id).values(tags=[]))
        else:
            announce_end(session, [Moved(job_id, OWNER, "errand.hold", "default", 0, 1, URL)], State.SUCCEEDED)
    assert broken() == ["I17"]
