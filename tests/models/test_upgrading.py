"""`flask db upgrade` by two at once, again and again, and after one that was killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from tests.contracts.test_migrations import differences
from tests.kinds.faulty import Note
from tests.processes import ROOT
from tests.queue.rows import accept, add_owner, change
from tests.waiting import until
from webapi.extensions import db

pytestmark = pytest.mark.usefixtures("context")


def start(app: Flask, log: Path, count: int) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "tests.models.migrator", app.config["DATABASE_URL"], str(count))
    with log.open("ab") as file:
        return subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)


@pytest.mark.parametrize("database_url", [pytest.param("sqlite", marks=pytest.mark.soak), "postgresql"], indirect=True)
def test_several_at_once_and_all_are_content(app: Flask, tmp_path: Path) -> None:
    """From nothing, so that each has all of the migrations before it, with those that build indexes concurrently.

    One that waited for its turn inside a statement would hold up the building of an index, and that one it.
    """
    downgrade(revision="base")
    db.engine.dispose()
    log = tmp_path / "log"
    assert start(app, log, 3).wait(120) == 0, log.read_text()
    assert differences() == []


def test_again_there_is_nothing_to_do(app: Flask) -> None:
    upgrade()
    upgrade()
    assert differences() == []


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_one_that_was_killed_while_it_built_indexes_begins_again(app: Flask, database_url: str, tmp_path: Path) -> None:
    """0013 has committed its columns by then, and PostgreSQL keeps an index that nobody may use."""
    add_owner()
    parent, call = (accept("test.note", Note(), delay=60) for _ in range(2))
    change(call, kind="http.call", parent_id=parent)
    db.session.remove()
    downgrade(revision="0012")
    with psycopg.connect(database_url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")  # a snapshot, for whose end the building of an index waits
        process = start(app, tmp_path / "log", 1)
        with psycopg.connect(database_url, autocommit=True) as watcher:
            building = "SELECT pid FROM pg_stat_progress_create_index"
            (pid,) = until(lambda: watcher.execute(building).fetchone(), seconds=90, what="an index to be built")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
            until(lambda: watcher.execute(building).fetchone() is None, what="the building to end")
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0012"
        assert "turn" in {each["name"] for each in inspect(connection).get_columns("jobs")}
        assert connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) == 1
    upgrade()
    assert differences() == []
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) == 0
        # It takes the calls that tell of a job's end off the number of open jobs, and took them off once.
        assert connection.scalar(text("SELECT open_jobs FROM users")) == 1
