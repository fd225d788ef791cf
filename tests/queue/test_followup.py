"""A failure handler is a job of its own, as durable as the failure that it is told of."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest

from tests.kinds.faulty import Note
from tests.queue.attempts import attempt_at
from tests.queue.rows import OWNER, accept, job
from webapi.errors import Permanent, Transient
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.transaction import writing
from webapi.queue import FailedJob, finish, kind_named
from webapi.queue.followup import announce_failure
from webapi.queue.ledger import Moved
from webapi.queue.run import work

pytestmark = pytest.mark.usefixtures("owner")


def told_of(job_id: UUID) -> list[Job]:
    db.session.rollback()
    return list(db.session.query(Job).filter_by(parent_id=job_id))


def test_the_handler_is_told_what_failed_and_why() -> None:
    job_id = accept("test.broken", Note())
    work(kind_named("test.broken"))
    (told,) = told_of(job_id)
    assert (told.kind, told.owner_id, told.state) == ("test.told", OWNER, "queued")
    assert FailedJob(**told.payload) == FailedJob(
        job_id=str(job_id), kind="test.broken", error_code="exception", error=job(job_id).error_public or ""
    )


def test_the_handler_runs_like_any_job() -> None:
    job_id = accept("test.broken", Note())
    work(kind_named("test.broken"))
    work(kind_named("test.told"))
    (told,) = told_of(job_id)
    assert (told.state, told.result) == ("succeeded", told.payload)


@pytest.mark.parametrize(("error", "count"), [(Transient("Come back."), 0), (Permanent("Never."), 1)])
def test_a_failure_that_is_tried_again_is_told_to_nobody(error: Exception, count: int) -> None:
    job_id = accept("test.broken", Note())
    with attempt_at("test.broken") as attempt:
        finish.failed(attempt, error)
    assert len(told_of(job_id)) == count


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_handler_of_what_was_only_played_plays_too(sandbox: bool) -> None:
    job_id = accept("test.broken", Note(), sandbox=sandbox)
    work(kind_named("test.broken"))
    assert [told.sandbox for told in told_of(job_id)] == [sandbox]


def test_a_kind_without_a_handler_tells_nobody() -> None:
    job_id = accept("test.note", Note())
    with attempt_at("test.note") as attempt:
        assert finish.failed(attempt, Permanent("Never.")) is State.FAILED
    assert told_of(job_id) == []


def test_the_handler_falls_with_the_transaction_that_records_the_failure() -> None:
    job_id = accept("test.broken", Note())
    with suppress(RuntimeError), writing() as session:
        announce_failure(session, Moved(job_id, OWNER, "test.broken", "default", 0, 1), "code", "sentence")
        raise RuntimeError
    assert told_of(job_id) == []


def test_a_kind_that_is_gone_tells_nobody() -> None:
    job_id = accept("test.note", Note())
    with writing() as session:
        announce_failure(session, Moved(job_id, OWNER, "test.gone", "default", 0, 1), "code", "sentence")
    assert told_of(job_id) == []
