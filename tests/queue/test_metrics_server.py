"""The metrics of a worker: its children's among them, and a port that is no reason to stop."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import ROOT, RealWorker, settings_of
from tests.scraping import figure, scrape
from tests.servers import free_port
from tests.waiting import until
from webapi.config import environment
from webapi.queue import submit

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def accept(app: Flask, owner: Person, kind: str, path: Path, times: int = 1) -> None:
    with app.app_context():
        for _ in range(times):
            submit(kind, Note(path=str(path)), owner_id=owner.id)


@pytest.mark.soak
def test_what_children_count_is_told_by_their_worker_also_when_they_have_died(
    make_app: Callable[..., Flask], ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    port = free_port()
    app = make_app(METRICS_PORT=port, METRICS_DIR=str(tmp_path / "metrics"), LEASE_SECONDS=2)
    worker = start_worker(app, concurrency=2)

    def noted() -> float:
        return figure(scrape(port)[1], "webapi_attempts_total", kind="test.note", state="succeeded")

    accept(app, ada, "test.note", tmp_path / "note", times=6)
    until(lambda: noted() == 6, what="six attempts to be counted")
    before = {child.pid for child in worker.children()}
    for child in worker.children():
        child.kill()
    until(lambda: {child.pid for child in worker.children()} - before, what="new children")
    accept(app, ada, "test.note", tmp_path / "note", times=4)
    until(lambda: noted() == 10, seconds=30, what="ten attempts to be counted")
    status, text = scrape(port)
    assert status == 200
    assert figure(text, "webapi_run_seconds_count", kind="test.note") == 10
    left = {int(path.stem.rpartition("_")[2]) for path in (tmp_path / "metrics").rglob("*.db")}
    assert not left & before
    assert worker.stop() == 0


FORKS = """
import os, threading
from webapi import create_app
from webapi.metrics import FENCED
from webapi.queue.children import FORK_LOCK
from webapi.queue.starting import ready_to_fork

ready_to_fork(create_app())

def relay():
    while True:
        with FORK_LOCK:
            for _ in range(20):
                FENCED.add()

threading.Thread(target=relay, daemon=True).start()
for _ in range(60):
    pid = os.fork()
    if pid == 0:
        FENCED.add()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
print("well")
"""


def test_a_worker_forks_while_its_relay_counts(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(METRICS_PORT=free_port(), METRICS_DIR=str(tmp_path / "metrics"))
    done = subprocess.run(
        [sys.executable, "-c", FORKS], cwd=ROOT, env=environment(settings_of(app)), capture_output=True, text=True,
        check=True, timeout=90,
    )  # fmt: skip
    assert done.stdout == "well\n"


@pytest.mark.soak
def test_a_port_that_is_taken_is_told_and_the_worker_works(
    make_app: Callable[..., Flask], ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        app = make_app(METRICS_PORT=taken.getsockname()[1], METRICS_DIR=str(tmp_path / "metrics"))
        worker = start_worker(app)
        accept(app, ada, "test.note", tmp_path / "note")
        until(lambda: Note(path=str(tmp_path / "note")).lines(), what="the job")
        assert "metrics are not served" in worker.output()
