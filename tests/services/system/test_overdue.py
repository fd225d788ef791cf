"""The job that has waited longest is named, with whose it is."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.kinds.faulty import Note
from tests.queue.rows import OWNER, accept, change
from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import after
from webapi.queue import gates
from webapi.services.system import backlog, overdue

pytestmark = pytest.mark.usefixtures("owner")


def aged(name: str, seconds: float, **more: int) -> UUID:
    job_id = accept(name, Note(), **more)
    change(job_id, run_at=after(-seconds))
    return job_id


def test_the_oldest_due_job_of_all_is_named_and_a_paused_kind_has_none() -> None:
    aged("test.note", 50)
    first = aged("test.slow", 500, priority=4)
    found = overdue.oldest(backlog.kinds([]))
    assert found is not None
    assert (found.id, found.owner_id) == (first, OWNER)
    gates.pause("test.slow", "command line")
    found = overdue.oldest(backlog.kinds([]))
    assert found is not None
    assert found.kind == "test.note"


def test_nothing_at_all_has_no_oldest() -> None:
    assert overdue.oldest(backlog.kinds(backlog.running())) is None


def test_a_job_whose_time_has_come_is_named_until_a_relay_queues_it() -> None:
    later = accept("test.note", Note(), delay=60)
    clock = db.session.get_one(Job, later).created_at
    assert overdue.not_woken(clock) is None
    change(later, run_at=after(-30))
    db.session.rollback()
    found = overdue.not_woken(clock)
    assert found is not None
    assert (found.id, found.state) == (later, "scheduled")
