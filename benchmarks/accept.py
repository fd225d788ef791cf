"""Accepting jobs over HTTP, beside small programs of the peers on the same servers. In turns, in short slices.

    python -m benchmarks.accept [--seconds 3] [--runs 5] [--peers flask_celery flask_huey]

Nobody works meanwhile, and what waits in Valkey is forgotten before each slice, ours and theirs. Every answer has to
be 202, and the ledger has to hold as many jobs more as were answered so; anything else ends the program.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery, group
from flask import Flask
from sqlalchemy import func, select, text

from benchmarks import machine
from benchmarks.goals import Goal, table
from benchmarks.rivals import ALL, CELERY, PROCESSES, SMALL, THREADS, Rivals
from benchmarks.slices import Slices, fire
from benchmarks.spending import spending
from benchmarks.stage import Stage, stage
from webapi import brokers
from webapi.extensions import db
from webapi.models import Job

OURS, KEYED = "ours", "ours, an Idempotency-Key each"
BATCH, GROUP = "ours, batches of 1,000", "Celery's group().delay(), in process, keeps nothing"
PATH = "/api/v1/jobs/bench.add"
CLIENTS, BATCH_CLIENTS, BATCH_SIZE = 64, 4, 1_000
WARM = 0.5  # seconds before the first slice, which are not counted
RATIO, BATCHES = 3.0, 20_000.0  # the goals
PLENTY = 1_000_000_000
SETTINGS = {
    "WEB_CONCURRENCY": PROCESSES,
    "WEB_THREADS": THREADS,
    "LIVE_WATCHERS": 0,
    "MAX_OPEN_JOBS": PLENTY,
    "REQUESTS_PER_MINUTE": PLENTY,  # counted, but never reached
}


def theirs(rivals: Rivals, peer: Any, seconds: float) -> dict[str, Any]:
    """A slice of a peer."""
    rivals.clear(peer)
    with spending(rivals.supervisor, f"{peer.module}-web") as spent:
        seen = fire(rivals.ports[peer], "/add", SMALL, clients=CLIENTS, seconds=seconds)
    return _only_accepted(seen) | spent


def ours(there: Stage, seconds: float, *, keys: str = "", size: int = 0) -> dict[str, Any]:
    """A slice of ours; with `size`, each request is a batch."""
    _forget_hints(there.app)
    before = count(there.app)
    body = json.dumps([json.loads(SMALL)] * size) if size else SMALL
    header, path = [f"Authorization: Bearer {there.key}"], f"{PATH}/batch" if size else PATH
    clients = BATCH_CLIENTS if size else CLIENTS
    with spending(there.supervisor, "web") as spent:
        seen = fire(there.port, path, body, clients=clients, seconds=seconds, headers=header, keys=keys)
    _only_accepted(seen)
    answered, kept = seen["accepted"] * (size or 1), count(there.app) - before
    if kept != answered:
        raise RuntimeError(f"{answered} jobs were answered with 202, and the ledger has {kept} more than before.")
    return seen | spent


def count(app: Flask) -> int:
    """The jobs in the ledger."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Job)) or 0


def celery_group(there: Stage, jobs: int = 2_000) -> float:
    """Messages a second of `group(...).delay()`, in this process, without HTTP and without a ledger."""
    celery = Celery("group", broker=there.app.config["REDIS_URL"], set_as_current=False)
    celery.conf.update(task_ignore_result=True, task_default_queue="group")
    signatures = [celery.signature("group.add", (23, 42)) for _ in range(jobs)]
    began = time.monotonic()
    group(signatures, app=celery).delay()
    spent = time.monotonic() - began
    with brokers.client(there.app.config["REDIS_URL"], 5) as server:
        server.delete("group")
    return jobs / spent


def _only_accepted(seen: dict[str, Any]) -> dict[str, Any]:
    others = {status: times for status, times in seen["statuses"].items() if status != "202" and times}
    if others or not seen["accepted"]:
        raise RuntimeError(f"Not everything was accepted: {seen['statuses']}, {seen['others']}")
    return seen


def _forget_hints(app: Flask) -> None:
    with brokers.client(app.config["REDIS_URL"], 5) as server:
        server.delete(*app.extensions["queues"])


def measure(there: Stage, peers: list[str], runs: int, seconds: float) -> dict[str, Slices]:
    """All slices, in turns; the first ones only warm the servers."""
    rivals = Rivals(there.app, there.supervisor)
    wanted = [peer for peer in ALL if peer.module in peers]
    rivals.start(wanted, workers=False)
    found: dict[str, Slices] = {}
    for run in range(-1, runs):
        spent = seconds if run >= 0 else WARM
        each: dict[str, Callable[[], dict[str, Any]]] = {
            **{peer.name: partial(theirs, rivals, peer, spent) for peer in wanted},
            OURS: partial(ours, there, spent),
            KEYED: partial(ours, there, spent, keys=f"run{run}"),
            BATCH: partial(ours, there, spent, size=BATCH_SIZE),
        }
        for name, take in each.items():
            there.supervisor.pause(0)  # raises when somebody asked us to stop
            seen = take()
            if run >= 0:
                found.setdefault(name, Slices()).add(seen, BATCH_SIZE if name == BATCH else 1)
                print(f"{name}: {found[name].rates[-1]:,.0f}/s", file=sys.stderr)
        if run >= 0:
            found.setdefault(GROUP, Slices()).rates.append(celery_group(there))
    return found


def durability(app: Flask) -> str:
    """What the ledger's server says about how it commits."""
    with app.app_context():
        names = ("fsync", "synchronous_commit", "full_page_writes")
        return ", ".join(f"{name} {db.session.scalar(text(f'SHOW {name}'))}" for name in names)


def report(found: dict[str, Slices], runs: int, seconds: float, kept: str) -> None:
    print(f"## Accepting, {machine.today()}\n")
    print(f"{CLIENTS} connections, {PROCESSES} server processes of {THREADS} threads (granian; FastAPI on uvicorn);")
    print(f"medians of {runs} slices of {seconds:g} s, in turns; PostgreSQL with {kept}; {machine.line()}.")
    print(
        "Ours is authentication, limits, validation, a durable row and a hint; the ledger was counted after each slice."
    )
    print("The last columns are processor time for a job: of the web server, and of PostgreSQL and Valkey together.")
    print("\n| | jobs a second | from – to | p50 ms | p99 ms | ours is | web µs | servers µs |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    mine = found[KEYED].rate
    for name, each in found.items():
        p50, p99 = _middle(each.p50, 1000, ".1f"), _middle(each.p99, 1000, ".1f")
        ratio = f"{mine / each.rate:.2f} ×" if name not in {OURS, KEYED, BATCH, GROUP} else ""
        spread = f"{min(each.rates):,.0f} – {max(each.rates):,.0f}"
        spent = f"{_middle(each.web, 1, ',.0f')} | {_middle(each.servers, 1, ',.0f')}"
        print(f"| {name} | {each.rate:,.0f} | {spread} | {p50} | {p99} | {ratio} | {spent} |")
    print(table(goals(found)))


def _middle(values: list[float], factor: float, form: str) -> str:
    return format(statistics.median(values) * factor, form) if values else ""


def goals(found: dict[str, Slices]) -> list[Goal]:
    batch, mine, peer = found[BATCH], found[KEYED], found.get(CELERY.name)
    reached = [Goal("accept in batches of 1,000: ≥ 20,000 jobs/s", f"{batch.rate:,.0f}/s", "", batch.rate >= BATCHES)]
    if peer is None:
        return reached
    ratio = mine.rate / peer.rate
    figure = f"{mine.rate:,.0f}/s, p99 {mine.worst * 1000:.0f} ms"
    beside = f"{ratio:.2f} × {CELERY.name}, whose p99 is {peer.worst * 1000:.0f} ms"
    met = ratio >= RATIO and mine.worst < peer.worst
    return [Goal("accept: ≥ 3 × Flask + `.delay()`, lower p99", figure, beside, met), *reached]


def main(seconds: float, runs: int, peers: list[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    try:
        with stage(folder / "system", "postgresql", concurrency=1, workers=(), **SETTINGS) as there:
            report(measure(there, peers, runs, seconds), runs, seconds, durability(there.app))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each slice")
    parser.add_argument("--runs", type=int, default=5)
    names = [peer.module for peer in ALL]
    parser.add_argument("--peers", nargs="*", choices=names, default=names)
    main(**vars(parser.parse_args()))
