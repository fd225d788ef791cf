"""What is logged in the course of an attempt is kept with it: capped, without secrets, and of no other attempt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, event, select

from tests.kinds.talking import Talk
from tests.processes import RealWorker
from tests.queue.attempts import holding
from tests.queue.rows import OWNER, accept, add_owner, change, job
from tests.waiting import until
from webapi.extensions import db
from webapi.models import AttemptLog, Job, State, User
from webapi.models.transaction import writing
from webapi.queue import attempt_logs, finish, kind_named
from webapi.queue.attempt import Attempt, Replaced
from webapi.queue.claim import claim
from webapi.queue.run import work

CANARY = "canary-of-the-logs"
library = logging.getLogger("some.library")


def logs(job_id: UUID) -> list[AttemptLog]:
    db.session.rollback()
    query = select(AttemptLog).where(AttemptLog.job_id == job_id).order_by(AttemptLog.attempt)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def texts(job_id: UUID) -> list[str]:
    return [line["text"] for row in logs(job_id) for line in row.lines]


@contextmanager
def statements() -> Iterator[list[str]]:
    said: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def taken(kind: str = "test.talk") -> Attempt:
    attempt = claim(kind_named(kind))
    assert attempt is not None
    attempt_logs.listen()
    return attempt


def test_lines_are_kept_with_the_verdict(owner: User) -> None:
    job_id = accept("test.talk", Talk(times=2))
    work(kind_named("test.talk"))
    (row,) = logs(job_id)
    assert [(line["level"], line["logger"], line["text"]) for line in row.lines] == [
        ("warning", "some.library", "hello 0 rows=0"),
        ("warning", "some.library", "hello 1 rows=1"),
    ]
    assert (row.attempt, row.left_out, job(job_id).state) == (1, 0, "succeeded")


def test_many_lines_are_capped_and_what_fell_out_is_counted(owner: User) -> None:
    job_id = accept("test.talk", Talk(times=1000))
    work(kind_named("test.talk"))
    (row,) = logs(job_id)
    assert (len(row.lines), row.left_out) == (200, 800)
    assert (row.lines[0]["text"], row.lines[-1]["text"]) == ("hello 0 rows=0", "hello 999 rows=999")


def test_each_attempt_has_its_own_and_a_failure_says_where_but_not_what(owner: User) -> None:
    job_id = accept("test.talk", Talk(end="failure"))
    work(kind_named("test.talk"))
    change(job_id, state=State.QUEUED)
    work(kind_named("test.talk"))
    assert [row.attempt for row in logs(job_id)] == [1, 2]
    assert job(job_id).state == "failed"


def test_a_planted_secret_never_stands_in_the_table(owner: User) -> None:
    accept("test.talk", Talk(password=CANARY, words=f"password={CANARY}"))
    work(kind_named("test.talk"))
    rows = str([row.lines for row in db.session.scalars(select(AttemptLog))])
    assert "signing in with *** failed" in rows
    assert "https://***@example.com/x?token=***" in rows
    assert CANARY not in rows


def test_an_attempt_that_says_nothing_costs_no_statement(owner: User) -> None:
    accept("rated.fast", Talk())
    with statements() as said:
        work(kind_named("rated.fast"))
    assert not [each for each in said if "attempt_logs" in each]
    accept("test.talk", Talk())
    with statements() as said:
        work(kind_named("test.talk"))
    assert len([each for each in said if "INSERT INTO attempt_logs" in each]) == 1


def test_two_attempts_in_one_process_do_not_hear_each_other(owner: User, ground: Flask) -> None:
    ids = [accept("test.talk", Talk()) for _ in range(2)]
    attempts = [taken(), taken()]

    def speak(attempt: Attempt) -> None:
        with ground.app_context(), holding(attempt):
            library.warning("mine is %s", attempt.job_id)
            finish.succeeded(attempt, None)

    threads = [Thread(target=speak, args=[attempt]) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    library.warning("of nobody")
    assert {job_id: texts(job_id) for job_id in ids} == {job_id: [f"mine is {job_id}"] for job_id in ids}


def test_a_heartbeat_keeps_what_was_said_so_far_and_the_end_adds_the_rest(owner: User) -> None:
    job_id = accept("test.talk", Talk())
    attempt = taken()
    with holding(attempt):
        library.warning("before")
        attempt_logs.keep([attempt])
        assert texts(job_id) == ["before"]
        library.warning("after")
        finish.succeeded(attempt, None)
    assert texts(job_id) == ["before", "after"]


def test_an_attempt_that_was_replaced_writes_only_its_own_log(owner: User) -> None:
    job_id = accept("test.talk", Talk())
    old = taken()
    with holding(old):
        library.warning("old")
        change(job_id, attempt=2)
        with pytest.raises(Replaced):
            finish.succeeded(old, None)
        assert logs(job_id) == []
    attempt_logs.keep([old])
    assert [(row.attempt, row.lines[0]["text"]) for row in logs(job_id)] == [(1, "old")]


def test_they_go_with_their_job(owner: User) -> None:
    job_id = accept("test.talk", Talk())
    work(kind_named("test.talk"))
    with writing() as session:
        session.execute(delete(Job).where(Job.id == job_id))
    assert logs(job_id) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_killed_worker_loses_only_what_was_said_since_its_last_heartbeat(
    app: Flask, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    with app.app_context():
        add_owner(OWNER)
        job_id = accept("test.talk", Talk(times=3, password=CANARY, end="wait", go=str(tmp_path / "go")))
    worker = start_worker(app, concurrency=1)

    def kept() -> list[str]:
        with app.app_context():
            return texts(job_id)

    found = until(kept, seconds=20, what="a heartbeat")
    worker.kill()
    assert found[:3] == ["hello 0 rows=0", "hello 1 rows=1", "hello 2 rows=2"]
    assert "by structlog words=hello" in found
    assert CANARY not in "".join(found)
    assert not [text for text in found if "thread of its own" in text or "job started" in text]
