"""200 watchers on one web process: what they cost it, and what the others' requests feel of them.

    python -m benchmarks.watchers [--watchers 200] [--rounds 3] [--seconds 15] [--database postgresql]

In turns: nobody watches; everybody watches a job at which nothing happens; everybody watches a job that makes
progress each second. Meanwhile somebody else asks for pages and for JSON, 20 requests a second.
"""

from __future__ import annotations

import argparse
import platform
import selectors
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psutil
import urllib3
from sqlalchemy import update

from benchmarks.stage import Stage, stage
from webapi.models import Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing

RATE = 20.0  # requests a second of somebody else
QUIET, STILL, BUSY = "nobody watches", "{} watch, nothing happens", "{} watch, each job makes progress each second"


@dataclass
class Cost:
    """One phase: seconds of each request, the share of one core, the process's memory in MB, batches a second."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)


class Crowd:
    """So many open streams, read by one thread. `over` has the moment at which each was told that its job is over."""

    def __init__(self, there: Stage, jobs: list[UUID]) -> None:
        self.selector = selectors.DefaultSelector()
        self.batches, self.over, self.refused = 0, list[float](), 0
        host, port = there.base.removeprefix("http://").split(":")
        self.host, self.port, self.key = host, int(port), there.key
        for job_id in jobs:
            self._open(job_id)
        self.leaving = threading.Event()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _open(self, job_id: UUID) -> None:
        link = socket.create_connection((self.host, self.port))
        head = [f"GET /jobs/{job_id}/live HTTP/1.1", f"Host: {self.host}", f"Authorization: Bearer {self.key}"]
        link.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode())
        self.selector.register(link, selectors.EVENT_READ, job_id)

    def _read(self) -> None:
        while not self.leaving.is_set():
            for key, _ in self.selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                heard = key.fileobj.recv(1 << 16)
                self.batches += heard.count(b"\nid: ") + heard.startswith(b"id: ")
                self.refused += heard.startswith(b"HTTP/1.1 503")
                over = b"event: over" in heard
                if over:
                    self.over.append(time.monotonic())
                if over or not heard:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()
                if not (over or heard):  # a stream lasts a minute; a page comes back by itself
                    self._open(key.data)

    def leave(self) -> None:
        self.leaving.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()


def submit(there: Stage, count: int) -> list[UUID]:
    """Jobs whose time has not come."""
    return [UUID(there.post("/jobs/data.process?delay=86400", json={"data": 1})["id"]) for _ in range(count)]


def begin(there: Stage, jobs: list[UUID]) -> None:
    """As a worker would, each at another percentage."""
    with there.app.app_context(), writing() as session:
        for number, job_id in enumerate(jobs):
            values = {"state": State.RUNNING, "lease_until": after(86400), "progress": number % 100, "attempt": 1}
            session.execute(update(Job).where(Job.id == job_id).values(**values))


@contextmanager
def progress(there: Stage, jobs: list[UUID]) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(1.0):
            with there.app.app_context(), writing() as session:
                more = {"progress": (Job.progress + 1) % 100, "progress_note": "at work"}
                session.execute(update(Job).where(Job.id.in_(jobs)).values(**more))

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    over.set()
    thread.join()


def web_process(there: Stage) -> psutil.Process:
    """The one that serves: the largest of the server's processes."""
    family = [psutil.Process(there.supervisor.pid("web"))]
    family += family[0].children(recursive=True)
    return max(family, key=lambda each: each.memory_info().rss)


def measure(there: Stage, cost: Cost, job_id: UUID, seconds: float, crowd: Crowd | None) -> None:
    web, pool = web_process(there), urllib3.PoolManager()
    headers = {"Authorization": f"Bearer {there.key}"}
    paths = [f"/api/v1/jobs/{job_id}", "/jobs", f"/jobs/{job_id}", "/api/v1/jobs?limit=20"]
    spent, began, batches = sum(web.cpu_times()[:2]), time.monotonic(), crowd.batches if crowd else 0
    for number in range(int(seconds * RATE)):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        asked = time.monotonic()
        answer = pool.request("GET", there.base + paths[number % len(paths)], headers=headers, retries=False)
        cost.seconds.append(time.monotonic() - asked)
        assert answer.status == 200, answer.status
    took = time.monotonic() - began
    cost.cpu.append((sum(web.cpu_times()[:2]) - spent) / took)
    cost.memory.append(web.memory_info().rss / 1e6)
    cost.batches.append((crowd.batches - batches) / took if crowd else 0.0)


def one_round(there: Stage, costs: dict[str, Cost], watchers: int, seconds: float) -> list[float]:
    """Each phase once. Returns after how many seconds each watcher knew that its job was over."""
    jobs, mine = submit(there, watchers), submit(there, 1)[0]
    measure(there, costs[QUIET], mine, seconds, None)
    crowd = Crowd(there, jobs)
    time.sleep(5)  # all have been sent their first page
    measure(there, costs[STILL], mine, seconds, crowd)
    begin(there, jobs)
    with progress(there, jobs):
        time.sleep(5)
        measure(there, costs[BUSY], mine, seconds, crowd)
    ended = time.monotonic()
    with there.app.app_context(), writing() as session:
        values = {"state": State.CANCELLED, "lease_until": None, "finished_at": now()}
        session.execute(update(Job).where(Job.id.in_(jobs)).values(**values))
    while len(crowd.over) < watchers and time.monotonic() < ended + 60:
        time.sleep(0.05)
    crowd.leave()
    assert (crowd.refused, len(crowd.over)) == (0, watchers), (crowd.refused, len(crowd.over))
    return [moment - ended for moment in crowd.over]


def report(costs: dict[str, Cost], told: list[float], options: argparse.Namespace) -> None:
    count = options.watchers
    print(f"## Watchers, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{options.rounds} rounds in turns of {options.seconds:g} s, {options.database}, one web process, 2 cores,")
    print(f"Python {platform.python_version()}; beside them {RATE:g} requests a second for pages and JSON.\n")
    print("| | p50 ms | p99 ms | share of a core | memory MB | batches a second |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, cost in costs.items():
        p50, p99 = (statistics.quantiles(cost.seconds, n=100)[at] * 1000 for at in (49, 98))
        cpu, memory, batches = (statistics.median(each) for each in (cost.cpu, cost.memory, cost.batches))
        print(f"| {name.format(count)} | {p50:.1f} | {p99:.1f} | {cpu:.1%} | {memory:.0f} | {batches:.1f} |")
    p50, p99 = (statistics.quantiles(told, n=100)[at] for at in (49, 98))
    print(
        f"\nWhen all {count} jobs ended at one moment, their watchers knew after {p50:.2f} s (p50), {p99:.2f} s (p99)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    costs: dict[str, Cost] = {name: Cost() for name in (QUIET, STILL, BUSY)}
    told: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        stage(Path(folder) / "stage", options.database, concurrency=1, LIVE_WATCHERS=options.watchers) as there,
    ):
        for _ in range(options.rounds):
            told += one_round(there, costs, options.watchers, options.seconds)
    report(costs, told, options)


if __name__ == "__main__":
    main()
