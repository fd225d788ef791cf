"""What a failover costs: the master of a real Sentinel setup is lost while jobs are accepted and done.

    python -m benchmarks.failover [--rate 50] [--seconds 60] [--down-after 5] [--how freeze] [--database sqlite]

One master, one replica, three sentinels; a web server, two workers; each job is a mail to an address of its own. They
are asked for over HTTP at a fixed pace, whatever becomes of those before. What arrived, the mail server's list says.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import psutil
import urllib3
from sqlalchemy import func, select

from benchmarks.stage import Stage, stage
from tests.sentinels import Watched
from webapi.extensions import db
from webapi.models import FINAL, Job, State
from webapi.queue.audit import audit

CLIENTS = 16  # connections
WORKERS = ("worker-1", "worker-2")
PATIENCE = 900.0  # seconds for the last job to end
JOBS = "jobs"
WARM = 5.0  # seconds of the run that nothing is measured in


@dataclass(frozen=True)
class Asked:
    """One request: when it was to be sent (seconds since 1970), how long its answer took, and the job."""

    at: float
    seconds: float
    status: int
    job: UUID | None


def load(on: Stage, rate: float, seconds: float, name: str) -> list[Asked]:
    """So many requests a second, each in its time."""
    pool, start = urllib3.PoolManager(maxsize=CLIENTS, retries=False), time.time()
    headers = {"Authorization": f"Bearer {on.key}"}

    def one(number: int) -> Asked:
        at = start + number / rate
        time.sleep(max(0.0, at - time.time()))
        mail = {"to": [f"{name}-{number}@bench.example"], "subject": "Hello", "text": "x"}
        answer = pool.request("POST", f"{on.base}/api/v1/jobs/email.send", headers=headers, json=mail, timeout=30)
        took = time.time() - at
        return Asked(at, took, answer.status, UUID(answer.json()["id"]) if answer.status == 202 else None)

    with ThreadPoolExecutor(CLIENTS) as threads:
        return list(threads.map(one, range(int(rate * seconds))))


def work_off(on: Stage) -> float:
    """Seconds until no job is left."""
    began = time.monotonic()
    with on.app.app_context():
        while db.session.scalar(select(func.count()).where(Job.state.not_in(FINAL))):
            if time.monotonic() > began + PATIENCE:
                raise RuntimeError(f"jobs are left after {PATIENCE:.0f} s")
            db.session.rollback()
            time.sleep(0.2)
    return time.monotonic() - began


def begun(on: Stage) -> dict[UUID, tuple[float, float]]:
    """Of each job: when it was accepted and when its work began, by the database's clock."""
    with on.app.app_context():
        rows = db.session.execute(select(Job.id, Job.created_at, Job.started_at).where(Job.started_at.is_not(None)))
        return {row.id: (row.created_at.timestamp(), row.started_at.timestamp()) for row in rows}


def used_so_far(on: Stage, watched: Watched) -> dict[str, float]:
    """Seconds of a processor that each part has used, and under JOBS how many jobs are done."""
    groups = {"web": ["web"], "workers": list(WORKERS), "PostgreSQL": ["postgresql"], "mail sink": ["sink"]}
    found = {}
    for part, names in groups.items():
        try:
            found[part] = sum(_used(on.supervisor.pid(name)) for name in names)
        except KeyError:
            continue  # SQLite is in the others
    process = watched.master().process
    with on.app.app_context():
        found[JOBS] = db.session.scalar(select(func.count()).where(Job.state == State.SUCCEEDED)) or 0
    return found | ({"Valkey": _used(process.pid)} if process else {})


def _used(pid: int) -> float:
    main = psutil.Process(pid)
    times = [each.cpu_times() for each in (main, *main.children(recursive=True))]
    used: float = sum(each.user + each.system for each in times)
    return used


def stall(starts: Sequence[float], lost: float) -> tuple[float, float]:
    """The longest time after the loss in which no job began: from when to when, in seconds after it."""
    after = sorted(each - lost for each in starts)
    first, last = max(pairwise(after), key=lambda pair: pair[1] - pair[0] if pair[1] > 0 else 0.0)
    return first, last


def strike(watched: Watched, how: str, when: float, struck: list[float]) -> None:
    time.sleep(max(0.0, when - time.time()))
    master = watched.master()
    struck.append(time.time())
    (master.stop if how == "kill" else master.freeze)()


def main(given: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    (folder / "redis").mkdir()
    watched, struck = Watched(folder / "redis", given.down_after), [0.0]
    try:
        watched.start()
        with stage(
            folder / "system", given.database, concurrency=2, workers=WORKERS, REDIS_URL=watched.url
        ) as on:  # fmt: skip
            load(on, given.rate, WARM, "warm")
            before, began = used_so_far(on, watched), time.time()
            fault = threading.Thread(target=strike, args=(watched, given.how, began + given.seconds / 3, struck))
            costs = threading.Timer(given.seconds / 3 - 1, lambda: before.update(_since(before, on, watched)))
            fault.start()
            costs.start()
            asked = load(on, given.rate, given.seconds, "measured")
            work_off(on)
            report(given, on, asked, struck[-1], before)
    finally:
        watched.stop()
    shutil.rmtree(folder)


def _since(before: dict[str, float], on: Stage, watched: Watched) -> dict[str, float]:
    return {part: used - before[part] for part, used in used_so_far(on, watched).items()}


def report(given: argparse.Namespace, on: Stage, asked: list[Asked], lost_at: float, costs: dict[str, float]) -> None:
    times = begun(on)
    accepted = {each.job for each in asked if each.job is not None}
    mine = {job: times[job] for job in accepted if job in times}
    arrived = Counter(line.split()[1] for line in on.receipts.read_text().splitlines())
    with on.app.app_context():
        done = set(db.session.scalars(select(Job.id).where(Job.state == State.SUCCEEDED)))
        again_begun = db.session.scalar(select(func.sum(Job.attempt - 1)).where(Job.id.in_(accepted)))
        broken = [each.name for each in audit() if each.offenders]
    calm = max(each.seconds for each in asked if each.at < lost_at - 1)
    slow = [each for each in asked if each.at >= lost_at - 1 and (each.seconds > calm or each.status != 202)]
    again = max((each.at + each.seconds - lost_at for each in slow), default=0.0)
    first, last = stall([start for _, start in mine.values()], lost_at)
    waits = sorted(start - made for made, start in mine.values())
    p99, middle = waits[len(waits) * 99 // 100], waits[len(waits) // 2]
    caught_up = max((start - lost_at for made, start in mine.values() if start - made > 1), default=0.0)
    rows = {
        "asked / accepted": f"{len(asked):,} / {len(accepted):,}",
        "lost: accepted, and not at its end": len(accepted - done),
        "doubled: a second mail / a second attempt": f"{sum(count - 1 for count in arrived.values())} / {again_begun}",
        "broken invariants (`flask audit`)": ", ".join(broken) or 0,
        "longest answer before / after the loss": f"{calm:.2f} s / {max(each.seconds for each in asked):.2f} s",
        "accepting undisturbed again after": f"{again:.1f} s ({len(slow)} answers took longer than any before)",
        "no job began": f"from {first:+.1f} s to {last:+.1f} s of the loss",
        "every job begins within 1 s again after": f"{caught_up:.1f} s",
        "wait of a job: longest / p99 / median": f"{waits[-1]:.1f} / {p99:.1f} / {middle:.2f} s",
    }
    command = " ".join(["python -m benchmarks.failover", *sys.argv[1:]])
    print(f"## Sentinel failover, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"`{command}`: {given.rate:g} jobs a second for {given.seconds:g} s, {given.database}, one master, one")
    print(f"replica, three sentinels that wait {given.down_after:g} s; one web process, two workers of two children,")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}. What happened to the master: {given.how}.\n")
    print("| | |\n| --- | --- |")
    print("\n".join(f"| {name} | {value} |" for name, value in rows.items()))
    jobs = costs.pop(JOBS) or 1
    parts = ", ".join(f"{part} {1000 * used / jobs:.1f} ms" for part, used in costs.items())
    print(f"\nProcessor time for a job, before the loss: {parts}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--down-after", type=float, default=5)
    parser.add_argument("--how", choices=("kill", "freeze"), default="kill")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    main(parser.parse_args())
