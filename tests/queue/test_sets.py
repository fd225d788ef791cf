"""Sets of quick jobs: begun in order, finished together, and none of them pays for its neighbours."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, current_app

from tests.queue.acting import HOOKS, WORLD, Step
from tests.queue.rows import accept, artifacts, change, job, states
from tests.waiting import until
from webapi.errors import Permanent, Transient
from webapi.extensions import db
from webapi.models import AttemptLog, Job
from webapi.queue import kind_named, new_file
from webapi.queue.audit import audit
from webapi.queue.children import share_stop, stop_soon
from webapi.queue.claim import claim_set
from webapi.queue.effects import outstanding
from webapi.queue.run import work
from webapi.queue.sets import do_all

pytestmark = pytest.mark.usefixtures("owner")
KIND = "quick.step"


@pytest.fixture(autouse=True)
def _sound(ground: Flask, owner: object) -> Iterator[None]:
    ground.extensions.pop("pace", None)
    yield
    HOOKS.clear()
    ground.extensions.pop("stopping", None)
    assert [finding.name for finding in audit(files=False) if finding.offenders] == []


def given(
    count: int, at: int = -1, hook: Callable[[], Any] = lambda: None, kind: str = KIND, **options: Any
) -> list[UUID]:
    """So many jobs, in one of which something happens."""
    HOOKS["hook"] = hook
    steps = [Step(name=str(place), hook="hook" if place == at else "") for place in range(count)]
    return [accept(kind, each, **options) for each in steps]


def found(ids: list[UUID]) -> list[str]:
    return [job(each).state for each in ids]


def raising(error: BaseException) -> Callable[[], Any]:
    def act() -> None:
        raise error

    return act


def test_all_are_done_in_their_order() -> None:
    ids = given(5)
    assert work(kind_named(KIND)) == ids
    assert WORLD == ["0", "1", "2", "3", "4"]
    assert [(job(each).state, job(each).result) for each in ids] == [("succeeded", name) for name in WORLD]
    assert work(kind_named(KIND)) == []


@pytest.mark.parametrize(
    ("hook", "state"),
    [
        (raising(Permanent("No.")), "failed"),
        (raising(Transient("Later.")), "retrying"),
        (raising(SystemExit(3)), "failed"),
        (raising(MemoryError()), "failed"),
        (lambda: {1, 2}, "failed"),
        (lambda: outstanding(["one"]) and None, "failed"),
    ],
    ids=["for good", "for now", "exits", "memory", "no json", "an act left undone"],
)
def test_one_that_fails_fails_alone(hook: Callable[[], Any], state: str) -> None:
    ids = given(4, at=1, hook=hook)
    work(kind_named(KIND))
    assert found(ids) == ["succeeded", state, "succeeded", "succeeded"]


def test_one_with_a_file_or_a_log_keeps_them() -> None:
    def write() -> None:
        new_file("a.txt", "text/plain").write_text("a")
        logging.getLogger("some.library").warning("said")

    ids = given(3, at=1, hook=write)
    work(kind_named(KIND))
    assert found(ids) == ["succeeded"] * 3
    assert [each.name for each in artifacts(ids[1])] == ["a.txt"]
    assert [row.job_id for row in db.session.query(AttemptLog)] == [ids[1]]


def test_one_that_only_logs_is_finished_with_its_neighbours_and_its_log_is_kept() -> None:
    ids = given(3, at=2, hook=lambda: logging.getLogger("some.library").warning("said"))
    work(kind_named(KIND))
    assert found(ids) == ["succeeded"] * 3
    assert [row.job_id for row in db.session.query(AttemptLog)] == [ids[2]]


def test_one_that_belongs_to_another_by_now_is_left_to_it() -> None:
    ids = list[UUID]()
    ids += given(3, at=2, hook=lambda: change(ids[0], attempt=2))
    work(kind_named(KIND))
    assert found(ids) == ["running", "succeeded", "succeeded"]
    assert job(ids[0]).result is None
    change(ids[0], attempt=1)  # the audit would ask whose the second attempt was


@pytest.mark.parametrize("kind", [KIND, "single.step"])
def test_one_that_leaves_the_session_broken_breaks_only_itself(kind: str) -> None:
    def leave_broken() -> None:
        db.session.add(Job(id=ids[0]))  # there is such a row

    ids = list[UUID]()
    ids += given(3, at=1, hook=leave_broken, kind=kind)
    for _ in ids:
        work(kind_named(kind))
    assert found(ids) == ["succeeded", "failed", "succeeded"]


def test_what_has_ended_does_not_wait_for_long() -> None:
    """The first is written down while the second still runs."""
    ids = list[UUID]()

    def wait() -> None:
        db.session.rollback()
        until(lambda: job(ids[0]).state == "succeeded", seconds=5, what="the first to be written down")

    ids += given(3, at=1, hook=wait)
    work(kind_named(KIND))
    assert found(ids) == ["succeeded"] * 3


def test_those_that_cannot_be_begun_in_time_go_back_to_where_they_stood() -> None:
    ids = given(4, priority=1)
    before = [job(each).turn for each in ids]
    work(kind_named(KIND), until=time.monotonic() - 1)
    assert WORLD == ["0"]
    rows = [job(each) for each in ids]
    assert [row.state for row in rows] == ["succeeded", "queued", "queued", "queued"]
    assert [(row.attempt, row.attempt_budget, row.crash_count, row.turn) for row in rows[1:]] == [
        (1, 6, 0, turn) for turn in before[1:]
    ]
    assert states(ids[3]) == ["queued", "running", "queued"]
    work(kind_named(KIND))
    assert WORLD == ["0", "1", "2", "3"]


def test_those_behind_one_that_takes_too_long_do_not_wait_for_it() -> None:
    ids = list[UUID]()

    def wait() -> None:
        db.session.rollback()
        until(lambda: found(ids[2:]) == ["queued", "queued"], seconds=5, what="the others to be handed back")

    ids += given(4, at=1, hook=wait)
    work(kind_named(KIND), until=time.monotonic() + 0.3)
    assert found(ids) == ["succeeded", "succeeded", "queued", "queued"]


def test_a_worker_that_is_to_stop_begins_no_other_and_writes_down_what_is_done(ground: Flask) -> None:
    share_stop(ground)
    ids = given(4, at=1, hook=lambda: stop_soon(current_app))
    work(kind_named(KIND))
    assert (WORLD, found(ids)) == (["0", "1"], ["succeeded", "succeeded", "queued", "queued"])


def test_one_that_is_cancelled_or_lost_while_it_waits_is_not_begun() -> None:
    def cancel_and_lose() -> None:
        change(ids[1], cancel_requested_at=job(ids[1]).created_at)
        attempts = {each.job_id: each for each in current_app.extensions["heart"]._attempts.values()}
        attempts[ids[1]].cancelled.set()  # as a heartbeat would
        attempts[ids[2]].lost.set()

    ids = list[UUID]()
    ids += given(4, at=0, hook=cancel_and_lose)
    work(kind_named(KIND))
    assert (WORLD, found(ids)) == (["0", "3"], ["succeeded", "cancelled", "running", "succeeded"])


def test_a_kind_that_turns_out_slow_is_claimed_in_smaller_sets() -> None:
    given(8, at=0, hook=lambda: time.sleep(0.2))
    work(kind_named(KIND))
    given(8)
    assert len(work(kind_named(KIND), until=time.monotonic() + 0.1)) < 8
    assert len(work(kind_named(KIND), until=math.inf)) > 1


def test_what_ends_a_set_in_the_middle_loses_nothing_that_is_done() -> None:
    ids, done = given(4), list[UUID]()
    attempts = claim_set(kind_named(KIND), 8)

    def do(attempt: Any, keep: Callable[[Any, object], None]) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(attempt.job_id)
        keep(attempt, None)

    back = list[UUID]()
    with pytest.raises(KeyboardInterrupt):
        do_all(attempts, math.inf, do, lambda *_: None, lambda left: back.extend(each.job_id for each in left))
    assert (found(ids[:2]), back) == (["succeeded"] * 2, ids[3:])
