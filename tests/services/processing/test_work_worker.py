"""A real worker: a cancel is heard while a statement runs, and nothing of it is left."""

from __future__ import annotations

import contextlib
import time

import psutil
from flask import Flask

from tests.conftest import Person
from tests.processes import RealWorker
from tests.queue.rows import artifacts, job
from tests.waiting import until
from webapi.models.transaction import writing
from webapi.queue import control, submit
from webapi.tasks.data_process import Data

SLOW = "levenshtein(repeat('ab', 3000), repeat('ba', 3000 + a)) > 0"  # a thirtieth of a second for each row


def asking(worker: RealWorker) -> psutil.Process | None:
    """The child of one of the worker's processes."""
    for each in worker.main().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "queries import child" in " ".join(each.cmdline()):
                return each
    return None


def test_a_real_worker_cleans_and_converts(app: Flask, ada: Person, worker: RealWorker) -> None:
    data = Data(data=[{"a": number % 7} for number in range(100)], dedupe=True, convert_to="parquet")
    with app.app_context():
        job_id = submit("data.process", data, owner_id=ada.id).id
        until(lambda: job(job_id).finished_at, seconds=60, what="the job's end")
        done = job(job_id)
        assert (done.state, (done.result or {})["rows"]) == ("succeeded", 7)
        assert [row.name for row in artifacts(job_id)] == ["data.parquet", "profile.json"]


def test_a_cancel_ends_a_statement_within_two_seconds(app: Flask, ada: Person, worker: RealWorker) -> None:
    with app.app_context():
        data = Data(data=[{"a": number} for number in range(5000)], filter=SLOW)
        job_id = submit("data.process", data, owner_id=ada.id).id
        until(lambda: job(job_id).progress >= 15, seconds=60, what="the statement that takes long")
        child = until(lambda: asking(worker), what="the child")
        with writing() as session:
            began = time.monotonic()
            control.cancel(session, job_id, actor="test")
        until(lambda: job(job_id).state == "cancelled", seconds=10, what="the end")
        assert time.monotonic() - began < 2
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, what="the end of the child")
        assert not list((app.extensions["files"].root / "staging").rglob("query-*"))
