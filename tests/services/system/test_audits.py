"""The audit as a job: asked for once, done by a worker, its findings kept."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from tests.kinds.faulty import Note
from tests.queue.rows import accept
from webapi.extensions import db
from webapi.models import Job, JobEvent, State, User
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.audit import MOST, Finding
from webapi.queue.run import work
from webapi.services.system import audits

pytestmark = pytest.mark.usefixtures("owner")


def done() -> audits.Audits:
    work(kind_named(audits.KIND))
    db.session.rollback()
    return audits.latest()


def test_before_anybody_asked_there_is_nothing() -> None:
    found = audits.latest()
    assert (found.newest, found.done, found.findings, found.under_way) == (None, None, [], False)


def test_one_is_under_way_at_a_time(owner: User) -> None:
    assert audits.ask(owner)
    assert audits.latest().under_way
    assert not audits.ask(owner)
    assert done().newest is not None
    assert audits.ask(owner)


def test_a_whole_ledger_breaks_nothing_and_the_audit_itself_is_in_it(owner: User) -> None:
    audits.ask(owner, files=True)
    found = done()
    assert found.done is not None
    assert found.done.result is not None
    assert (found.done.state, found.broken, found.done.result["files"]) == (State.SUCCEEDED, [], True)
    assert {"I2", "I7", "I16"} <= {each.name for each in found.findings}


def test_what_is_broken_is_kept_with_its_ids_until_the_next(owner: User) -> None:
    job_id = accept("test.note", Note(), delay=60)
    with writing() as session:
        session.execute(delete(JobEvent).where(JobEvent.job_id == job_id))
    audits.ask(owner)
    (broken,) = done().broken
    assert (broken.name, broken.offenders, audits.counted(broken)) == ("I14a", (str(job_id),), "1")
    audits.ask(owner)
    assert audits.latest().broken == [broken]
    with writing() as session:
        session.execute(delete(Job).where(Job.id == job_id))
        owner.open_jobs -= 1
    assert done().broken == []


def test_a_count_that_stopped_says_so() -> None:
    assert audits.counted(Finding("I1", "x", ("id",) * MOST)) == f"{MOST} or more"
    assert audits.counted(Finding("I1", "x", ())) == "none"
