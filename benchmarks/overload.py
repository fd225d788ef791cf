"""Ten times of what the system accepts, for a minute, whatever it answers; and then whether all it accepted was done.

    python -m benchmarks.overload [--seconds 60] [--times 10] [--clients 1000] [--drain 60] [--open 1000000000]

What it accepts is measured first, with 64 clients that wait for their answers, on the same system with its worker. A
request that is due while all clients wait is not sent, and counted: 1,000 who wait are what an open loop can have.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from flask import Flask
from sqlalchemy import func, select

from benchmarks import machine
from benchmarks.goals import Goal, table
from benchmarks.rivals import PROCESSES, SMALL
from benchmarks.slices import fire
from benchmarks.stage import Stage, stage
from webapi.extensions import db
from webapi.models import Job, State

PATH = "/api/v1/jobs/bench.add"
CLIENTS, CALM = 64, 5.0  # clients, and the seconds that measuring what it accepts takes
LOOK = 0.5  # seconds between two looks
LATEST = 1.0  # seconds, the goal
REFUSALS = ("429", "503")


class Memory(threading.Thread):
    """Looks at the web server's processes: megabytes of all of them together, at times from the beginning."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self.seen, self.over = pid, [resident(pid)], threading.Event()

    def run(self) -> None:
        while not self.over.wait(LOOK):
            self.seen.append(resident(self._pid))


def resident(pid: int) -> float:
    """Megabytes of a process and all below it; what they share counts once, where the kernel tells."""
    main = psutil.Process(pid)
    found = [each.memory_full_info() for each in [main, *main.children(recursive=True)]]
    return float(sum(getattr(each, "pss", each.rss) for each in found)) / 1e6


def in_states(app: Flask) -> dict[str, int]:
    """How many jobs the ledger has in each state."""
    with app.app_context():
        rows = db.session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
        return {str(state): number for state, number in rows}


def settled(there: Stage, seconds: float) -> tuple[dict[str, int], float]:
    """The states when every job is over, or when the time is; and how long that took."""
    began = time.monotonic()
    while True:
        found = in_states(there.app)
        spent = time.monotonic() - began
        if all(State(state).final for state in found) or spent > seconds:
            return found, spent
        there.supervisor.pause(LOOK)


def measure(there: Stage, seconds: float, times: float, clients: int, drain: float) -> dict[str, Any]:
    """Everything that the report says."""
    headers = [f"Authorization: Bearer {there.key}"]
    calm = fire(there.port, PATH, SMALL, clients=CLIENTS, seconds=CALM, headers=headers)
    rate = max(1.0, calm["rate"]) * times
    print(f"accepts {calm['rate']:,.0f}/s; offering {rate:,.0f}/s", file=sys.stderr)
    memory = Memory(there.supervisor.pid("web"))
    memory.start()
    seen = fire(there.port, PATH, SMALL, clients=clients, seconds=seconds, rate=rate, headers=headers)
    memory.over.set()
    memory.join()
    accepted = calm["accepted"] + seen["accepted"]
    print(f"{seen['accepted']:,} accepted; waiting for them", file=sys.stderr)
    states, spent = settled(there, drain)
    facts = {"calm": calm, "seen": seen, "rate": rate, "accepted": accepted}
    return facts | {"memory": memory.seen, "states": states, "drained": spent}


def report(found: dict[str, Any], seconds: float, clients: int) -> None:
    calm, seen, memory = found["calm"], found["seen"], found["memory"]
    refused = {status: seen["statuses"].get(status, 0) for status in REFUSALS}
    others = {each: times for each, times in seen["statuses"].items() if each not in {"202", *REFUSALS} and times}
    offered = round(found["rate"] * seconds)
    print(f"## Overload, {machine.today()}\n")
    print(f"{seconds:g} s of {found['rate']:,.0f} requests a second, up to {clients:,} at once; PostgreSQL,")
    print(f"{PROCESSES} server processes, one worker of {PROCESSES}, threads as by default; {machine.line()}.\n")
    print("| | |\n| --- | --- |")
    rows = {
        f"accepted a second when {CLIENTS} wait for their answers": f"{calm['rate']:,.0f}, {_waits(calm)}",
        "offered": f"{offered:,}",
        "not sent: all clients waited": f"{seen['unsent']:,}",
        "accepted": f"{seen['accepted']:,}, {seen['rate']:,.0f} a second, {_waits(seen)}",
        "refused, 429 / 503": " / ".join(f"{number:,}" for number in refused.values()),
        "refused without Retry-After": f"{seen['hopeless']:,}",
        "other answers, and none": ", ".join(f"{each}: {times:,}" for each, times in others.items()) or "0",
        "web server's memory at first / half-way / at the end / most": " / ".join(
            f"{each:,.0f}" for each in (memory[0], memory[len(memory) // 2], memory[-1], max(memory))
        )
        + " MB",
        "accepted jobs in the ledger afterwards": ", ".join(f"{each}: {n:,}" for each, n in found["states"].items()),
        "waited for them": f"{found['drained']:.0f} s",
    }
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    for status, answer in seen["others"].items():
        if status not in REFUSALS:
            print(f"\nThe first {status} said: `{answer.splitlines()[-1][:300]}`")
    print(table([goal(found), in_time(seen)]))


def _waits(seen: dict[str, Any]) -> str:
    if seen["p50"] is None:
        return "none"
    return f"p50 {seen['p50'] * 1000:,.0f} ms, p99 {seen['p99'] * 1000:,.0f} ms"


def goal(found: dict[str, Any]) -> Goal:
    """What was accepted is in the ledger and over. A connection that broke may have been accepted without an answer."""
    states = found["states"]
    kept, done = sum(states.values()), states.get("succeeded", 0)
    figure = f"{found['accepted']:,} accepted, {kept:,} in the ledger, {done:,} succeeded"
    met = done >= found["accepted"] and kept == done
    beside = f"{found['rate']:,.0f}/s offered"
    return Goal("overload: every accepted job finishes, whatever is offered", figure, beside, met)


def in_time(seen: dict[str, Any]) -> Goal:
    """Who was accepted did not wait long for it."""
    p99 = LATEST if seen["p99"] is None else seen["p99"]
    return Goal("overload: p99 of accepting < 1 s", f"{p99 * 1000:,.0f} ms", f"{LATEST:g} s", p99 < LATEST)


def main(seconds: float, times: float, clients: int, drain: float, most: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    settings: dict[str, Any] = {"WEB_CONCURRENCY": PROCESSES, "MAX_OPEN_JOBS": most}  # threads as they are by default
    try:
        with stage(folder / "system", "postgresql", concurrency=PROCESSES, **settings) as there:
            report(measure(there, seconds, times, clients, drain), seconds, clients)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=10.0, help="of what it accepts")
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--drain", type=float, default=60.0, help="seconds to wait for the accepted jobs")
    parser.add_argument("--open", type=int, default=1_000_000_000, dest="most", help="MAX_OPEN_JOBS")
    main(**vars(parser.parse_args()))
