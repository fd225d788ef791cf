"""`flask relay` ends in order when it is asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import ROOT, settings_of
from tests.queue.rows import change
from tests.waiting import until
from webapi.config import environment
from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import after
from webapi.queue import submit


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_relay_that_is_asked_to_stop_ends_with_the_pass_that_it_is_in(
    app: Flask, ada: Person, tmp_path: Path
) -> None:
    with app.app_context():
        job_id = submit("test.note", Note(), owner_id=ada.id, delay=60).id
        change(job_id, run_at=after(-1))
    command = (sys.executable, "-m", "flask", "--app", "tests.wsgi", "relay")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(settings_of(app)), stdout=log, stderr=log)
    until(lambda: state(app, job_id) == "queued", seconds=60, what="the relay's first pass")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0, (tmp_path / "log").read_text()


def state(app: Flask, job_id: object) -> str:
    with app.app_context():
        return str(db.session.get_one(Job, job_id).state)
