"""The probes of workers, run by a real shell against what real workers write."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Person
from tests.deploy.manifests import written
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.waiting import until
from webapi.queue import submit
from webapi.queue.worker import WorkerRelay

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PROBES = ("startup", "liveness", "readiness")


@pytest.fixture
def alive(tmp_path: Path) -> Path:
    return tmp_path / "alive"


def well(path: Path) -> set[str]:
    """The probes that succeed, with ALIVE_PATH at this path."""
    container = written("base/workers/common/worker.yaml")[0]["spec"]["template"]["spec"]["containers"][0]
    return {name for name in PROBES if _succeeds(container[f"{name}Probe"]["exec"]["command"], path)}


def _succeeds(command: list[str], path: Path) -> bool:
    words = [word.replace("/tmp/alive", str(path)) for word in command]
    return subprocess.run(words, check=False, stderr=subprocess.DEVNULL).returncode == 0


def test_a_worker_whose_slots_are_all_busy_lives_and_is_ready(
    make_app: Callable[..., Flask], start_worker: Callable[..., RealWorker], alive: Path, tmp_path: Path
) -> None:
    app = make_app(ALIVE_PATH=str(alive))
    assert well(alive) == set()
    start_worker(app, concurrency=1)
    until(lambda: well(alive) == set(PROBES), what="the first whole pass")
    note = Note(path=str(tmp_path / "note"))
    with app.app_context():
        submit("test.slow", note, owner_id=Person(app, "ada@example.com").id)
    until(note.lines, what="the only slot to be taken")
    for _ in range(2):
        before = alive.stat().st_mtime_ns
        until(lambda: alive.stat().st_mtime_ns > before, what="another pass")  # noqa: B023 - called within the loop
        until(lambda: well(alive) == set(PROBES), what="the probes")
    Path(note.path + ".go").touch()


def test_a_worker_whose_database_is_away_lives_and_is_not_ready(make_app: Callable[..., Flask], alive: Path) -> None:
    app = make_app(ALIVE_PATH=str(alive), DATABASE_URL="postgresql://webapi@127.0.0.1:1/none")
    relay = WorkerRelay(app, 1, ["default"])
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        until(alive.exists, what="the first pass")
        before = alive.stat().st_mtime_ns
        until(lambda: alive.stat().st_mtime_ns > before, what="another pass")
        assert well(alive) == {"startup", "liveness"}
    finally:
        relay.stop()
        thread.join()


def test_a_worker_whose_relay_stands_still_is_first_unready_and_later_dead(alive: Path, make_app: object) -> None:
    alive.write_text("ok\n")
    for minutes, expected in ((0.5, set(PROBES)), (2, {"liveness"}), (11, set())):
        then = time.time() - 60 * minutes
        os.utime(alive, (then, then))
        assert well(alive) == expected
