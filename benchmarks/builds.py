"""Reports from a source to their file and manifest, by a real worker, beside the straight use of libraries.

    python -m benchmarks.builds [--rows 1000000] [--pdf-rows 10000] [--large 5000000] [--runs 1]

Memory is the most that the worker, its processes and those of its queries have had together.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import select

from benchmarks import shop
from benchmarks.peaks import watched
from benchmarks.stage import Stage, stage
from webapi.config import environment
from webapi.extensions import db
from webapi.local.drill.database import ledger
from webapi.local.processes import Supervisor
from webapi.models import Job, State, User
from webapi.services.reports import library
from webapi.services.reports.definition import Definition

LOOK = 0.1  # seconds between two looks at a job
PATIENCE = 1800.0  # seconds for one report
LEAST = [{"name": "count", "type": "number", "label": "Rows", "default": "1000000"}]


def worker_of() -> psutil.Process:
    """The worker of the stage: the program of ours that runs Celery."""
    for child in psutil.Process().children(recursive=True):
        if "celery" in child.cmdline() and "worker" in child.cmdline() and child.children():
            return child
    raise RuntimeError("there is no worker")


def build(there: Stage, report: str, kind: str, count: int) -> tuple[Job, float]:
    """Ask for a report and wait for its end; its job, and the seconds since it began."""
    asked = {"report": report, "format": kind, "parameters": {"count": str(count)}, "max_age": 0}
    job_id = UUID(there.post("/jobs/report.build", json=asked)["id"])
    job = wait(job_id, lambda job: job.finished_at is not None)
    assert job.state == State.SUCCEEDED, job.error_public
    assert job.started_at is not None
    assert job.finished_at is not None
    return job, (job.finished_at - job.started_at).total_seconds()


def wait(job_id: UUID, met: Any) -> Job:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        db.session.rollback()
        job: Job = db.session.get_one(Job, job_id, populate_existing=True)
        if met(job):
            return job
        time.sleep(LOOK)
    raise TimeoutError(job_id)


def straight(source: str, kind: str, where: str, count: int) -> tuple[float, float]:
    """Seconds and megabytes of a library alone, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="webapi-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.shop", source, kind, where, str(count), f"{folder}/a.{kind}"]
        child = psutil.Popen(command, stdout=subprocess.PIPE, text=True, env=environment({}))
        with watched(psutil.Process(child.pid)) as peak:
            said, _ = child.communicate()
        return float(said), peak.bytes / 1e6


def compare(there: Stage, reader: str, parquet: Path, rows: int, pdf_rows: int) -> None:
    print("| source and format | who | rows | rows a second | peak memory | ours is |")
    print("| --- | --- | --- | --- | --- | --- |")
    for source, where in (("shop", reader), ("sales", str(parquet))):
        for kind in ("csv", "xlsx", "parquet", "pdf"):
            count = pdf_rows if kind == "pdf" else rows
            if peer := shop.STRAIGHT.get((source, kind)):
                seconds, megabytes = straight(source, kind, where, count)
                print(f"| {source} {kind} | {peer[0]} | {count:,} | {count / seconds:,.0f} | {megabytes:,.0f} MB | |")
            with watched(worker_of()) as peak:
                job, took = build(there, source, kind, count)
            check(job, reader, count)
            ratio = f"{seconds / took:.2f} ×" if peer else ""
            print(
                f"| {source} {kind} | ours | {count:,} | {count / took:,.0f} | {peak.bytes / 1e6:,.0f} MB | {ratio} |",
                flush=True,
            )


def check(job: Job, reader: str, count: int) -> None:
    """The totals of the manifest equal an independent count."""
    assert isinstance(job.result, dict)
    assert (job.result["rows"], job.result["complete"]) == (count, True), job.result
    for name, total in shop.totals(reader, count).items():
        ours = Decimal(job.result["totals"][name])
        assert abs(ours - total) <= abs(total) * Decimal("1e-12"), (name, ours, total)


def large(there: Stage, rows: int) -> None:
    """Many rows: memory, and how soon a cancel at half is obeyed."""
    print(
        f"\n{rows:,} rows from the dataset:\n\n| format | rows a second | peak memory | cancelled at half: over after |"
    )
    print("| --- | --- | --- | --- |")
    for kind in ("csv", "parquet", "xlsx"):
        with watched(worker_of()) as peak:
            _, took = build(there, "sales", kind, rows)
        asked = {"report": "sales", "format": kind, "parameters": {"count": str(rows)}, "max_age": 0}
        job_id = UUID(there.post("/jobs/report.build", json=asked)["id"])
        half = wait(job_id, lambda job: counted(job) >= rows / 2 or job.finished_at is not None)
        assert half.finished_at is None, "so few rows are written too soon to be cancelled at half"
        began = time.monotonic()
        there.post(f"/jobs/{job_id}/cancel")
        job = wait(job_id, lambda job: job.finished_at is not None)
        stopped = time.monotonic() - began
        assert job.state == State.CANCELLED, job.state
        nothing_left(there)
        print(f"| {kind} | {rows / took:,.0f} | {peak.bytes / 1e6:,.0f} MB | {stopped:.1f} s |", flush=True)


def counted(job: Job) -> int:
    """How many rows the job says that it has."""
    said = (job.progress_note or "").replace(",", "").partition(" ")[0]
    return int(said) if said.isdigit() else 0


def nothing_left(there: Stage) -> None:
    """No scratch of the attempt, and no process beside the worker's own."""
    deadline = time.monotonic() + 5
    staging = there.app.extensions["files"].root / "staging"
    while time.monotonic() < deadline:
        programs = [each for child in worker_of().children() for each in child.children(recursive=True)]
        files = [path for path in staging.glob("**/*") if path.is_file()]
        if not programs and not files:
            return
        time.sleep(LOOK)
    raise AssertionError((programs, files))


@contextmanager
def shop_stage(rows: int) -> Iterator[tuple[Stage, str, Path]]:
    """A system of its own, the URL of a shop of so many orders in PostgreSQL, and a folder that goes at the end.

    Somebody has the report `shop` over them.
    """
    with tempfile.TemporaryDirectory(prefix="webapi-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else when this is root
        with Supervisor(Path.cwd(), folder / "log", lambda line: None) as supervisor:
            server = ledger("postgresql", folder, supervisor)
            reader = shop.fill(server.replace("+psycopg", ""), rows)
            settings: Any = {"REPORT_SOURCES": {"shop": reader}}
            with stage(folder / "b", "sqlite", concurrency=1, **settings) as there, there.app.app_context():
                add_report("shop", "shop", ":")
                yield there, reader, folder


def add_report(name: str, source: str, mark: str) -> None:
    """Keep a report of the first orders of a source, as many as its parameter says."""
    sql = f"SELECT * FROM orders WHERE id < {mark}count"  # noqa: S608 - a placeholder
    given = {"title": "Orders", "source": source, "sql": sql, "parameters": LEAST}
    library.create(db.session.scalars(select(User)).one(), name, Definition.model_validate(given))


def main(rows: int, pdf_rows: int, big: int) -> None:
    with shop_stage(max(rows, big)) as (there, reader, folder):
        parquet, whole = folder / "sales.parquet", folder / "large.parquet"
        shop.as_parquet(reader, rows, parquet)
        shop.as_parquet(reader, max(rows, big), whole)
        owner = db.session.scalars(select(User)).one()
        shop.add_dataset(there.app, owner.id, "orders", whole if big else parquet)
        add_report("sales", "data", "$")
        print(f"## Builds, {datetime.now(UTC):%Y-%m-%d}\n")
        print(f"8 columns; {os.cpu_count()} cores, Python {platform.python_version()}, SQLite ledger.\n")
        compare(there, reader, parquet, rows, pdf_rows)
        if big:
            large(there, big)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pdf-rows", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=5_000_000, dest="big")
    main(**vars(parser.parse_args()))
