"""`flask recover`: what it says, and that it does nothing that nobody ordered."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import insert, select

from tests.conftest import Person
from tests.kinds.faulty import Note
from webapi.extensions import db
from webapi.models import Job, Worker
from webapi.models.transaction import writing
from webapi.queue import submit

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, ada: Person) -> Run:
    """With one queued job of Ada's, and a worker of the copy's that is not there."""
    worker = {"id": uuid4(), "host": "h", "pid": 7, "slots": 1, "busy": 0, "queues": ["default"], "version": "0"}
    with app.app_context():
        submit("test.note", Note(), owner_id=ada.id)
        with writing() as session:
            session.execute(insert(Worker).values(**worker))
    return lambda *words: app.test_cli_runner().invoke(args=["recover", *words])


def state(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(select(Job.state)).one()


def test_without_yes_it_says_only_what_it_would_hold(app: Flask, run: Run) -> None:
    answer = run()
    assert (answer.exit_code, "Would hold: jobs: 1 test.note" in answer.output) == (0, True)
    assert state(app) == "queued"


def test_a_worker_that_may_live_stops_it(app: Flask, run: Run) -> None:
    answer = run("--yes")
    assert (answer.exit_code, "Stop every worker first" in answer.output) == (1, True)
    assert state(app) == "queued"


def test_held_then_looked_at_then_released_then_resumed(app: Flask, run: Run) -> None:
    assert "Held: jobs: 1 test.note" in run("--yes", "--stopped").output
    assert json.loads(run("status", "--json").output)["jobs"] == {"test.note": 1}
    assert (run("release").exit_code, state(app)) == (1, "uncertain")
    assert run("release", "--owner", "ada@example.com", "--yes").output == "1 run again.\n"
    assert state(app) == "queued"
    assert "test.note" in run("resume").output
    assert run("resume").output == "Go on: none was paused.\n"


def test_held_and_counted_as_done(app: Flask, run: Run) -> None:
    run("--yes", "--stopped")
    assert run("settle", "--kind", "test.note", "--yes").output == "1 count as done.\n"
    assert state(app) == "succeeded"
