"""Inspections by real workers: killed in the middle, cancelled, overtaken."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psutil
import pytest
from flask import Flask

from tests.conftest import Person
from tests.processes import RealWorker
from tests.services.datasets.doors import ask, hand_in, inspected
from tests.waiting import until
from webapi.services import datasets

ROWS = 4_000_000
BIG = b"id,twice,name\n" + b"".join(b"%d,%d,name of %d\n" % (n, 2 * n, n) for n in range(200_000)) * (ROWS // 200_000)


def reading(worker: RealWorker) -> psutil.Process | None:
    """The child that reads a file for one of the worker's processes, when it has used some processor time."""
    for each in worker.main().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "queries" in " ".join(each.cmdline()) and each.cpu_times().user > 0.5:
                return each
    return None


def gone(child: psutil.Process) -> bool:
    try:
        return bool(child.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def left_behind(app: Flask) -> list[str]:
    return [str(path) for path in (app.extensions["files"].root / "staging").glob("*/*/*")]


def cancel(app: Flask, who: Person, made: dict[str, Any]) -> None:
    """Cancel the inspection, as its page of jobs does."""
    with app.app_context():
        job_id = datasets.find(who.id, UUID(made["id"])).job_id
    ask(app, who, f"/api/v1/jobs/{job_id}/cancel", "POST")


@pytest.mark.soak
def test_a_worker_that_is_killed_while_it_reads_loses_nothing(
    app: Flask, ada: Person, start_worker: Callable[..., RealWorker]
) -> None:
    first = start_worker(app)
    made = hand_in(app, ada, "big.csv", BIG)
    child = until(lambda: reading(first), what="the file to be read")
    first.kill()
    until(lambda: gone(child), seconds=2, what="the kernel to end the child")
    start_worker(app)
    found = inspected(app, ada, made)
    assert (found["state"], found["rows"]) == ("ready", ROWS)


def test_a_cancel_ends_it_within_two_seconds_and_nothing_is_left(app: Flask, ada: Person, worker: RealWorker) -> None:
    made = hand_in(app, ada, "big.csv", BIG)
    child = until(lambda: reading(worker), what="the file to be read")
    began = time.monotonic()
    cancel(app, ada, made)
    until(lambda: gone(child), seconds=2, what="the child to be gone")
    found = inspected(app, ada, made, seconds=5)
    print(f"cancelled after {time.monotonic() - began:.2f} s")
    assert (found["state"], found["problem"]) == ("faulty", "Cancelled while it ran.")
    until(lambda: left_behind(app) == [], seconds=5, what="the scratch to be cleared")


@pytest.mark.soak
def test_a_correction_overtakes_what_is_being_read(app: Flask, ada: Person, worker: RealWorker) -> None:
    made = hand_in(app, ada, "big.csv", BIG)
    child = until(lambda: reading(worker), what="the file to be read")
    ask(app, ada, made["links"]["self"], "PATCH", json={"options": {"header": False}})
    until(lambda: gone(child), seconds=2, what="the child to be gone")
    found = inspected(app, ada, made)
    assert (found["state"], found["rows"], found["options"]) == ("ready", ROWS + 1, {"header": False})
    assert found["columns"][0]["name"] != "id"


def test_a_dataset_that_is_deleted_while_it_is_read_stays_away(app: Flask, ada: Person, worker: RealWorker) -> None:
    made = hand_in(app, ada, "big.csv", BIG)
    child = until(lambda: reading(worker), what="the file to be read")
    ask(app, ada, made["links"]["self"], "DELETE")
    until(lambda: gone(child), seconds=2, what="the child to be gone")
    done = hand_in(app, ada, "small.csv", b"a\n1\n")
    assert inspected(app, ada, done)["rows"] == 1
    until(lambda: left_behind(app) == [], what="the scratch to be cleared")
    assert [each["name"] for each in ask(app, ada, "/api/v1/datasets")["datasets"]] == ["small"]
