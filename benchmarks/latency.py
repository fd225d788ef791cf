"""One job at a time on an idle system, from the POST until it is done, beside the peers. In turns.

    python -m benchmarks.latency [--jobs 200] [--rounds 5] [--peers flask_celery flask_huey]

A peer's task pushes to a Redis list for which the client waits. Ours is over when the ledger says so: the client reads
its row until then, or asks with `Prefer: wait`; it is also seen in the way of the peers.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from celery import Celery
from redis import Redis
from uuid_utils.compat import uuid4

from benchmarks import machine
from benchmarks.goals import Goal, table
from benchmarks.rivals import ALL, BARE, CELERY, FASTAPI, PROCESSES, THREADS, Rivals, plain
from benchmarks.slices import at
from benchmarks.stage import Stage, stage
from webapi import brokers
from webapi.local import ports

LEDGER, TOLD, SEEN = "ours, over in the ledger", "ours, told by `Prefer: wait`", "ours, seen as the peers are"
DELAY = "Celery's delay() without HTTP"
TIMES = """SELECT extract(epoch FROM created_at), extract(epoch FROM started_at), extract(epoch FROM finished_at)
    FROM jobs WHERE id = %s AND state = 'succeeded'"""
PARTS = ("POST to its row", "row to its claim", "claim to its end", "end to being seen")
PATH = "/api/v1/jobs/bench.add"
PEERS = [peer for peer in ALL if peer not in {BARE, FASTAPI}]
LONGEST = 30  # seconds for one job; the first one waits for its worker
LOOK = 0.0003  # seconds between two looks at the ledger
PAUSE = 0.02  # seconds between two jobs at the most: those who poll are met at any moment of their sleep
WARM = 5  # jobs of each that are not counted


class Client:
    """Submits jobs over one connection, and waits for each."""

    def __init__(self, port: int, path: str, server: Redis, key: str = "") -> None:
        self._connection = http.client.HTTPConnection(ports.HOST, port, timeout=LONGEST + 5)
        self._path, self._server = path, server
        self._headers = {"Content-Type": "application/json", "Connection": "keep-alive"}
        self._headers |= {"Authorization": f"Bearer {key}"} if key else {}
        self.parts: list[tuple[float, ...]] = []

    def over(self, ledger: psycopg.Connection[Any]) -> float:
        """Seconds until the ledger says that the job succeeded; `parts` has the seconds of each part of it."""
        began, sent = time.perf_counter(), time.time()
        job_id = self._post("", 202, {})["id"]
        while (times := ledger.execute(TIMES, (job_id,)).fetchone()) is None:
            if time.perf_counter() - began > LONGEST:
                raise TimeoutError(f"A job was not over within {LONGEST} s.")
            time.sleep(LOOK)
        moments = [sent, *map(float, times), time.time()]
        self.parts.append(tuple(later - earlier for earlier, later in pairwise(moments)))
        return time.perf_counter() - began

    def told(self) -> float:
        """Seconds until the answer says that the job is over."""
        began = time.perf_counter()
        self._post("", 200, {"Prefer": f"wait={LONGEST}"})
        return time.perf_counter() - began

    def seen(self) -> float:
        """Seconds until the job has pushed its token."""
        token, began = f"done-{uuid4()}", time.perf_counter()
        self._post(token, 202, {})
        _await(self._server, token)
        return time.perf_counter() - began

    def _post(self, token: str, status: int, headers: dict[str, str]) -> Any:
        body = json.dumps({"a": 23, "b": 42, "token": token})
        self._connection.request("POST", self._path, body, self._headers | headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != status:
            raise RuntimeError(f"{self._path}: {answer.status} {said[:300]!r}")
        return json.loads(said)


def _await(server: Redis, token: str) -> None:
    if not server.blpop([token], timeout=LONGEST):
        raise TimeoutError(f"A job was not done within {LONGEST} s.")


def delayed(celery: Celery, server: Redis) -> float:
    """Seconds of a Celery task from `delay()` in this process until it has pushed its token."""
    token, began = f"done-{uuid4()}", time.perf_counter()
    celery.send_task(f"{CELERY.path}.add", (23, 42, token), ignore_result=True)
    _await(server, token)
    return time.perf_counter() - began


def ways(there: Stage, rivals: Rivals, mine: Client) -> dict[str, Callable[[], float]]:
    """How to run one job of each; `mine` is of ours."""
    ledger = psycopg.connect(plain(there.app.config["DATABASE_URL"]), autocommit=True)
    found: dict[str, Callable[[], float]] = {LEDGER: partial(mine.over, ledger), TOLD: mine.told, SEEN: mine.seen}
    if CELERY in rivals.ports:
        server = rivals.redis(CELERY)
        url = server.connection_pool.connection_kwargs
        broker = f"redis://:{url['password']}@{url['host']}:{url['port']}/{url['db']}"
        found[DELAY] = partial(delayed, Celery("delay", broker=broker, set_as_current=False), server)
    for peer, port in rivals.ports.items():
        found[peer.name] = Client(port, "/add", rivals.redis(peer)).seen
    return found


def measure(
    each: dict[str, Callable[[], float]], jobs: int, rounds: int, pause: Callable[[float], None]
) -> dict[str, list[float]]:
    """Milliseconds of every job."""
    found: dict[str, list[float]] = {name: [] for name in each}
    for run in range(rounds + 1):
        for name, one in each.items():
            for _ in range(jobs // rounds if run else WARM):
                pause(random.uniform(0, PAUSE))  # noqa: S311 - no secret
                spent = one() * 1000
                if run:
                    found[name].append(spent)
            if run:
                print(f"{name}: {statistics.median(found[name]):.1f} ms", file=sys.stderr)
    return found


def report(found: dict[str, list[float]], parts: list[tuple[float, ...]], jobs: int, rounds: int) -> None:
    print(f"## Waiting for one job, {machine.today()}\n")
    print(f"{jobs} jobs of each in {rounds} rounds, in turns, one at a time with up to {PAUSE * 1000:g} ms between;")
    print(f"{PROCESSES} worker processes each (RQ one); {machine.line()}.\n")
    print("| | p50 ms | p99 ms | p50 of the rounds | most |\n| --- | --- | --- | --- | --- |")
    for name, values in found.items():
        size = len(values) // rounds
        middles = [statistics.median(values[run * size : (run + 1) * size]) for run in range(rounds)]
        spread = f"{min(middles):.1f} – {max(middles):.1f}"
        print(f"| {name} | {at(values, 0.5):.1f} | {at(values, 0.99):.1f} | {spread} | {max(values):.1f} |")
    middles = [statistics.median(each) * 1000 for each in zip(*parts, strict=True)]
    print("\nOf ours, by the moments in the ledger, p50: ", end="")
    print(", ".join(f"{name} {middle:.1f} ms" for name, middle in zip(PARTS, middles, strict=True)) + ".")
    if DELAY in found:
        print(table([goal(found)]))


def goal(found: dict[str, list[float]]) -> Goal:
    """Ours over HTTP, as the ledger knows it, beside their publishing without HTTP."""
    names = (LEDGER, TOLD, DELAY, CELERY.name)
    mine, told, peer, whole = [(at(found[name], 0.5) or 0.0, at(found[name], 0.99) or 0.0) for name in names]
    figure = f"{_both(mine)}; told by `Prefer: wait` {_both(told)}"
    beside = f"{_both(peer)} by `delay()`; by a POST to Flask {_both(whole)}"
    met = mine[0] <= peer[0] and mine[1] <= peer[1]
    return Goal("idle latency, p50 / p99: no worse than Celery's", figure, beside, met)


def _both(values: tuple[float, float]) -> str:
    return f"{values[0]:.1f} / {values[1]:.1f} ms"


def main(jobs: int, rounds: int, peers: list[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    settings: dict[str, Any] = {"WEB_CONCURRENCY": PROCESSES, "WEB_THREADS": THREADS, "LIVE_WATCHERS": 0}
    try:
        with stage(folder / "system", "postgresql", concurrency=PROCESSES, **settings) as there:
            rivals = Rivals(there.app, there.supervisor)
            rivals.start([peer for peer in PEERS if peer.module in peers], workers=True)
            mine = Client(there.port, PATH, brokers.client(there.app.config["REDIS_URL"], LONGEST + 5), there.key)
            found = measure(ways(there, rivals, mine), jobs, rounds, there.supervisor.pause)
            report(found, mine.parts, jobs, rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    names = [peer.module for peer in PEERS]
    parser.add_argument("--peers", nargs="*", choices=names, default=names)
    main(**vars(parser.parse_args()))
