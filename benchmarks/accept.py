"""Accepting jobs: batches of ours beside single accepts of ours and Celery's group, which keeps nothing. In turns.

    python -m benchmarks.accept [--jobs 10000] [--runs 5] [--database postgresql]

Over HTTP, to a web server of its own, without a worker. Celery's messages go to the same Redis.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import urllib3
from celery import Celery, group

from benchmarks.stage import Stage, stage

SINGLES = 500  # of them are enough for a rate
CONNECTIONS = 8
PAYLOAD = {"data": [{"city": "Bern", "sales": 12}]}


def batches(on: Stage, jobs: int, size: int) -> float:
    """Jobs a second, accepted `size` at a time."""
    body = json.dumps([PAYLOAD] * size).encode()
    headers = {"Authorization": f"Bearer {on.key}", "Content-Type": "application/json"}
    began = time.monotonic()
    for _ in range(jobs // size):
        url = f"{on.base}/api/v1/jobs/data.process/batch"
        answer = urllib3.request("POST", url, headers=headers, body=body, retries=False, timeout=120)
        if answer.status != 202:
            raise RuntimeError(f"{answer.status} {answer.data[:300]!r}")
    return jobs / (time.monotonic() - began)


def singles(on: Stage) -> float:
    """Jobs a second, one at a time on several connections."""
    pool = urllib3.PoolManager(maxsize=CONNECTIONS)
    headers = {"Authorization": f"Bearer {on.key}"}

    def one(_: int) -> None:
        url = f"{on.base}/api/v1/jobs/data.process"
        answer = pool.request("POST", url, headers=headers, json=PAYLOAD, retries=False, timeout=60)
        if answer.status != 202:
            raise RuntimeError(f"{answer.status} {answer.data[:300]!r}")

    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(one, range(SINGLES)))
    return SINGLES / (time.monotonic() - began)


def celery_group(on: Stage, jobs: int) -> float:
    """Messages a second of `group(...).delay()`, in this process, without HTTP and without a ledger."""
    celery = Celery("peer", broker=on.app.config["REDIS_URL"], set_as_current=False)
    celery.conf.update(task_ignore_result=True, task_default_queue="peer")

    @celery.task(name="peer.noop")  # type: ignore[untyped-decorator,unused-ignore]
    def noop(data: object) -> None:
        """Do nothing."""

    signatures = [noop.s(PAYLOAD["data"]) for _ in range(jobs)]
    began = time.monotonic()
    group(signatures).delay()
    spent = time.monotonic() - began
    with celery.connection_for_write() as connection:
        connection.default_channel.client.delete("peer")
    return jobs / spent


def main(jobs: int, runs: int, database: str) -> None:
    rates: dict[str, list[float]] = {}
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    with stage(folder / "system", database, concurrency=1, workers=(), MAX_OPEN_JOBS=10_000_000) as on:
        measures: dict[str, Callable[[], float]] = {
            "Celery's group().delay(), keeps nothing": lambda: celery_group(on, jobs),
            "ours, one by one": lambda: singles(on),
            "ours, batches of 1,000": lambda: batches(on, jobs, 1_000),
            "ours, batches of 10,000": lambda: batches(on, jobs, 10_000),
        }
        for _ in range(runs):
            for name, measure in measures.items():
                rates.setdefault(name, []).append(measure())
                print(f"{name}: {rates[name][-1]:,.0f}/s", file=sys.stderr)
    shutil.rmtree(folder)
    report(rates, runs, database)


def report(rates: dict[str, list[float]], runs: int, database: str) -> None:
    print(f"## Accepting, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"data.process with a small payload, {database}, one web process; median of {runs}, in turns;")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}.\n")
    print("| | jobs a second (median) | each run | against one by one |\n| --- | --- | --- | --- |")
    single = statistics.median(rates["ours, one by one"])
    for name, each in rates.items():
        middle = statistics.median(each)
        print(f"| {name} | {middle:,.0f} | {', '.join(f'{rate:,.0f}' for rate in each)} | {middle / single:.1f} × |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    main(**vars(parser.parse_args()))
