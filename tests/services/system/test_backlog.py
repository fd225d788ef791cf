"""What waits and runs, by kind, with bounded counts."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.kinds.faulty import Note
from tests.queue.acting import Anything
from tests.queue.rows import OWNER, accept, change
from tests.services.system import crowd
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import gates, kind_named
from webapi.queue.claim import claim
from webapi.services.system import CAP, backlog
from webapi.services.system.backlog import Waiting

pytestmark = pytest.mark.usefixtures("owner")


def kind(name: str) -> Waiting:
    db.session.rollback()
    (found,) = [each for each in backlog.kinds(backlog.running()) if each.name == name]
    return found


def aged(name: str, seconds: float, **more: int) -> UUID:
    job_id = accept(name, Note(), **more)
    change(job_id, run_at=after(-seconds))
    return job_id


def test_each_kind_is_counted_by_state() -> None:
    for _ in range(3):
        accept("test.note", Note())
    accept("test.note", Note(), delay=60)
    assert claim(kind_named("test.note")) is not None
    found = kind("test.note")
    assert (found.due, found.running, found.scheduled, found.retrying) == (2, 1, 1, 0)
    assert kind("test.slow").quiet


def test_the_oldest_of_a_kind_is_found_whatever_its_priority() -> None:
    aged("test.note", 5)
    aged("test.note", 500, priority=9)
    aged("test.note", 50, priority=3)
    db.session.rollback()
    oldest = kind("test.note").oldest
    youngest = max(each.run_at for each in db.session.query(Job))
    assert oldest is not None
    assert (youngest - oldest).total_seconds() == pytest.approx(495, abs=1)


def test_a_kind_that_nobody_declares_is_shown_as_unknown() -> None:
    accept("test.note", Note())
    with writing() as session:
        session.query(Job).update({"kind": "gone.kind"})
    found = kind("gone.kind")
    assert (found.known, found.due, found.queue) == (False, 1, "default")


def test_a_count_stops_at_the_cap() -> None:
    crowd.fill(CAP + 500, State.QUEUED)
    assert kind("test.note").due == CAP + 1


def test_a_pause_says_who_made_it() -> None:
    gates.pause("test.note", f"user {OWNER}")
    gates.pause("test.slow", "command line")
    assert (kind("test.note").paused_by, kind("test.slow").paused_by) == ("Ada", "command line")
    assert kind("test.note").paused_at is not None
    gates.resume("test.note")
    assert kind("test.note").paused_at is None


def test_a_gate_is_told_in_words() -> None:
    for _ in range(2):
        accept("capped.two", Anything())
        accept("rated.slow", Anything())
    assert claim(kind_named("capped.two")) is not None
    assert claim(kind_named("rated.slow")) is not None
    assert kind("capped.two").held == "1 of 2 at once"
    assert kind("rated.slow").held.startswith("at most 1/h, the next in 3")
    assert kind("test.note").held == ""


def test_an_attempt_under_way_says_when_it_was_claimed() -> None:
    job_id = accept("test.note", Note())
    assert claim(kind_named("test.note")) is not None
    db.session.rollback()
    (found,) = backlog.running()
    assert (found.id, found.attempt, found.since is not None) == (job_id, 1, True)
    crowd.fill(3, State.SUCCEEDED)
    assert len(backlog.running()) == 1
