"""Processes of a worker: who they are, which of them are gone, and what a fork must not share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from tests.conftest import BASE
from webapi import create_app
from webapi.extensions import db
from webapi.queue.children import after_fork, dead_owners, lease_owner, share_stop, stop_soon, stops_soon, worker_id


@pytest.fixture
def make() -> Callable[[], Flask]:
    return lambda: create_app({**BASE, "DATABASE_URL": "sqlite://"})


def test_a_worker_keeps_its_id_and_another_has_another(make: Callable[[], Flask]) -> None:
    one, other = make(), make()
    assert UUID(worker_id(one)).version == 7
    assert worker_id(one) == worker_id(one) != worker_id(other)


def test_a_lease_names_the_worker_and_the_process(make: Callable[[], Flask]) -> None:
    app = make()
    assert lease_owner(app) == f"{worker_id(app)}:{os.getpid()}"


def test_only_processes_of_this_worker_that_are_gone_are_dead(make: Callable[[], Flask]) -> None:
    app = make()
    gone = subprocess.Popen(["true"])
    gone.wait()
    ours, theirs = f"{worker_id(app)}:{gone.pid}", f"somebody-else:{gone.pid}"
    assert dead_owners(app, [ours, theirs, lease_owner(app), f"{worker_id(app)}:1"]) == [ours]


def test_a_new_process_forgets_the_connections_of_its_parent_once(make: Callable[[], Flask]) -> None:
    app = make()
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        db.session.remove()
        before = db.engine.pool
        after_fork(app)
        fresh = db.engine.pool
        after_fork(app)
    assert fresh is not before
    assert db_pool(app) is fresh


def db_pool(app: Flask) -> object:
    with app.app_context():
        return db.engine.pool


def test_a_forked_process_learns_that_the_worker_is_to_stop(make: Callable[[], Flask]) -> None:
    app, other = make(), make()
    share_stop(app)
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        os.read(read, 1)
        os._exit(not stops_soon(app))
    assert not stops_soon(app)
    stop_soon(app)
    os.write(write, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (stops_soon(app), stops_soon(other)) == (True, False)
