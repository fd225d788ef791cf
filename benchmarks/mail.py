"""Bulk mail: a file from its upload to the last receipt, beside Flask-Mail in a loop, which keeps nothing.

    python -m benchmarks.mail [--rows 20000] [--runs 5] [--database postgresql] [--delay 0.005] [--kill]

The same sink takes the mails of all three, in turns; each mail is filled for its reader.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psutil
from sqlalchemy import select

from benchmarks.goals import Goal, table
from benchmarks.loop import HTML, peer
from benchmarks.stage import Stage, stage
from webapi.extensions import db
from webapi.models import User
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording
from webapi.services.mailings import steering, watching
from webapi.services.mailings.watching import Standing

KILL_EVERY = 5.0  # seconds
PATIENCE = 900.0  # seconds for a whole mailing
PEER_MAILS, PEER_MAILS_FAR = 1000, 25  # of a run: with each round trip longer they take long
SEND, KEPT = "Flask-Mail, a connection for each", "Flask-Mail, one kept connection"
OURS, CHECK = "ours, with a receipt for each", "ours, checking the file"
T = TypeVar("T")


def mailing(there: Stage, rows: int, run: int) -> tuple[float, float, Standing]:
    """Seconds from the upload to the end of the check, and from the yes to the last receipt; how it ended."""
    lines = [f"r{run}p{number}@example.com,Person {number},{number}.00 EUR" for number in range(rows)]
    began = time.monotonic()
    file = "\n".join(["email,first_name,amount", *lines]).encode()
    upload = there.post(f"/uploads?name=people{run}.csv", body=file)["id"]
    job_id = UUID(there.post("/jobs/email.bulk", json={"template": "invoice", "recipients": upload})["id"])
    with there.app.app_context():
        owner = db.session.scalars(select(User.id)).one()
        _wait(lambda: _standing(owner, job_id, "checked"))
        checked = time.monotonic()
        steering.confirm(steering.find(owner, job_id))
        ended = _wait(lambda: _standing(owner, job_id, "done"))
    return checked - began, time.monotonic() - checked, ended


def _standing(owner: UUID, mailing_id: UUID, phase: str) -> Standing | None:
    db.session.rollback()
    row = next((row for row in steering.of(owner) if row.id == mailing_id), None)
    found = watching.standing(row) if row else None
    return found if found and found.phase == phase else None


def _wait(condition: Callable[[], T | None]) -> T:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (value := condition()) is not None:
            return value
        time.sleep(0.1)
    raise TimeoutError("The mailing did not end.")


class Watch(threading.Thread):
    """Looks at the worker's processes: the most memory of all of them together. With `kill` it ends them at times."""

    def __init__(self, there: Stage, *, kill: bool) -> None:
        super().__init__(daemon=True)
        self._there, self._kill = there, kill
        self.peak, self.kills, self.over = 0, 0, threading.Event()

    def run(self) -> None:
        due = time.monotonic() + KILL_EVERY
        while not self.over.wait(0.1):
            pid = self._there.supervisor.pid("worker")
            try:
                worker = psutil.Process(pid)
                used = sum(each.memory_info().rss for each in [worker, *worker.children()])
                self.peak = max(self.peak, used)
                if self._kill and time.monotonic() > due:
                    os.killpg(pid, signal.SIGKILL)
                    self.kills, due = self.kills + 1, time.monotonic() + KILL_EVERY
            except (psutil.Error, ProcessLookupError):
                continue


def main(rows: int, runs: int, database: str, delay: float, connections: int, kill: bool) -> None:
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    settings: dict[str, Any] = {"MAIL_CONNECTIONS": connections, "LEASE_SECONDS": 10 if kill else 60}
    rates: dict[str, list[float]] = {SEND: [], KEPT: [], OURS: [], CHECK: []}
    ended = []
    with stage(folder / "run", database, concurrency=1, delay=delay, **settings) as there:
        with there.app.app_context():
            wording = Wording(subject="Invoice, {{first_name}}", html=HTML)
            templates.create(db.session.scalars(select(User)).one(), "invoice", wording)
        watch = Watch(there, kill=kill)
        watcher = threading.Thread(target=there.supervisor.watch, args=(watch.over,), daemon=True)
        watch.start()
        watcher.start()
        for run in range(runs):
            if not kill:
                count = PEER_MAILS_FAR if delay else PEER_MAILS
                rates[SEND].append(peer(there.mail_port, count, kept=False))
                rates[KEPT].append(peer(there.mail_port, count, kept=True))
            check, spent, standing = mailing(there, rows, run)
            rates[CHECK].append(rows / check)
            rates[OURS].append(rows / spent)
            ended.append(_account(there, rows, run, standing))
        watch.over.set()
        watcher.join()
    shutil.rmtree(folder)
    _report(rows, database, delay, connections, rates, ended, watch)


def _account(there: Stage, rows: int, run: int, ended: Standing) -> str:
    """The sink's own log is the witness: each address of this run, and how often it came."""
    got = Counter(line.split()[1] for line in there.receipts.read_text().splitlines())
    mine = {address: count for address, count in got.items() if address.startswith(f"r{run}p")}
    doubled = sum(count > 1 for count in mine.values())
    explained = ended.uncertain + ended.refused + ended.held + ended.waiting
    lost = max(0, ended.delivered - len(mine), rows - len(mine) - explained)
    said = f"{ended.delivered:,} delivered, {ended.uncertain} uncertain"
    return f"{said}; at the sink {len(mine):,}, lost {lost}, doubled {doubled}"


def _report(
    rows: int,
    database: str,
    delay: float,
    connections: int,
    rates: dict[str, list[float]],
    ended: list[str],
    watch: Watch,
) -> None:
    print(f"## Bulk mail, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{rows:,} rows, {database}, one worker process with {connections} connections, {os.cpu_count()} cores,")
    print(f"Python {platform.python_version()}, each round trip to the sink {delay * 1000:g} ms more.\n")
    print("| | mails a second (median) | each run | ours is |\n| --- | --- | --- | --- |")
    ours = statistics.median(rates[OURS])
    for name, values in rates.items():
        if values:
            each = ", ".join(f"{value:,.0f}" for value in values)
            ratio = f"{ours / statistics.median(values):.1f} ×" if name in {SEND, KEPT} else ""
            print(f"| {name} | {statistics.median(values):,.0f} | {each} | {ratio} |")
    print(f"\nMemory of the worker's main process and its child together: {watch.peak / 1e6:,.0f} MB at most.")
    print(f"Workers killed meanwhile: {watch.kills}.\n")
    for run, account in enumerate(ended, 1):
        print(f"- Run {run}: {account}.")
    if rates[SEND]:
        print(table([goal(rates, delay)]))


def goal(rates: dict[str, list[float]], delay: float) -> Goal:
    """Ours, with a receipt for each, beside Flask-Mail's `send()` in a loop."""
    mine, theirs = (statistics.median(rates[name]) for name in (OURS, SEND))
    where, least = (f"mail, {delay * 1000:g} ms round trip", 40.0) if delay else ("mail, local sink", 2.5)
    wanted = f"{where}: ≥ {least:g} × Flask-Mail's `send()`"
    return Goal(wanted, f"{mine:,.0f}/s", f"{mine / theirs:.1f} × {theirs:,.0f}/s", mine >= least * theirs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each round trip to the sink costs")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--kill", action="store_true", help=f"kill the worker every {KILL_EVERY:g} s")
    main(**vars(parser.parse_args()))
