"""A real Flower beside a real worker: kinds have their names there, and messages hold nothing but ids."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import ROOT, RealWorker, settings_of
from tests.servers import free_port
from tests.waiting import until
from webapi.config import environment
from webapi.queue import submit

pytestmark = [pytest.mark.soak, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


@pytest.fixture
def flower(app: Flask, tmp_path: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """What Flower knows of tasks, by their ids."""
    port = free_port()
    command = [sys.executable, "-m", "celery", "-A", "tests.wsgi:celery", "flower", "--address=127.0.0.1"]
    with (tmp_path / "flower.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--port={port}"], cwd=ROOT, stdout=log, stderr=log,
            env=environment({**settings_of(app), "FLOWER_UNAUTHENTICATED_API": "true"}),
        )  # fmt: skip

    def tasks() -> dict[str, Any]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{port}/api/tasks", timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except OSError:
            return {"nothing": {}}

    until(lambda: tasks() == {}, seconds=90, what=f"Flower; see {tmp_path / 'flower.log'}")
    yield tasks
    process.kill()
    process.wait()


def test_flower_shows_kinds_by_their_names(
    app: Flask, ada: Person, start_worker: Callable[..., RealWorker], flower: Callable[[], dict[str, Any]],
    tmp_path: Path,
) -> None:  # fmt: skip
    start_worker(app)

    def seen() -> dict[str, Any]:
        with app.app_context():
            submit("test.note", Note(path=str(tmp_path / "canary")), owner_id=ada.id)
        return {task["name"]: task for task in flower().values() if task["state"] == "SUCCESS"}

    until(lambda: "test.note" in seen(), seconds=90, what="a job in Flower")
    task = seen()["test.note"]
    assert task["kwargs"].startswith("{'job': '")
    assert "canary" not in json.dumps(flower())
