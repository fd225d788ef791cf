"""A rolling deploy under load: two versions of the program, and each few seconds a worker and a web server anew.

    python -m benchmarks.rolling [--minutes 5] [--every 20] [--rate 6] [--database postgresql]

Two workers and two web servers run; each that is started anew runs the other version. The versions differ in the
payload of a kind (`tests/kinds/growing.py`, `tests/next/growing.py`). Mails come by HTTP, under an Idempotency-Key that
is sent again when no answer came. Counted is what the mail server and the file outside say, against the ledger.
"""

from __future__ import annotations

import argparse
import itertools
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import urllib3
from flask import Flask
from sqlalchemy import func, select

from benchmarks.fleet import Fleet, fleet
from tests.kinds.growing import Grown as Older
from tests.next.growing import Grown as Newer
from webapi.extensions import db
from webapi.models import FINAL, Job, JobEvent, State
from webapi.queue import submit
from webapi.queue.audit import audit

KIND = "test.growing"
LONGEST = 2.0  # seconds that a job works; its soft limit is 10
PATIENCE = 600.0  # seconds for what is left at the end


@dataclass
class Load:
    """What was accepted, by whichever version, and what had to be asked for again."""

    there: Fleet
    rate: float
    seed: int
    jobs: list[UUID] = field(default_factory=list)
    again: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def mails(self) -> None:
        """One mail after the other, by HTTP."""
        for number in self._paced():
            body = {"to": [f"mail{number}@example.com"], "subject": f"Mail {number}", "text": "t"}
            self.jobs.append(self._post("/api/v1/jobs/email.send", body, f"rolling-{number}"))

    def names(self) -> None:
        """One job of the kind that grew after the other, as a web server of either version accepts it."""
        chance = random.Random(self.seed)  # noqa: S311 - spreads load, guards nothing
        for number in self._paced():
            path, seconds = str(self.there.world), chance.uniform(0, LONGEST)
            if chance.random() < 0.5:
                self._accept(self.there.older, Older(path=path, name=f"name{number}", seconds=seconds))
            else:
                self._accept(self.there.newer, Newer(path=path, names=[f"name{number}"], seconds=seconds))

    def _accept(self, app: Flask, payload: Older | Newer) -> None:
        with app.app_context():
            self.jobs.append(submit(KIND, payload, owner_id=self.there.owner_id).id)

    def _paced(self) -> Iterator[int]:
        began = time.monotonic()
        for number in itertools.count():
            if self.stopped.wait(max(0.0, began + number * 2 / self.rate - time.monotonic())):
                return
            yield number

    def _post(self, path: str, body: object, key: str) -> UUID:
        headers = {"Authorization": f"Bearer {self.there.key}", "Idempotency-Key": key}
        for base in itertools.cycle(self.there.bases):
            try:
                answer = urllib3.request("POST", base + path, json=body, headers=headers, retries=False, timeout=30)
            except urllib3.exceptions.HTTPError:
                self.again += 1
                time.sleep(0.1)
                continue
            if answer.status == 202:
                return UUID(answer.json()["id"])
            if answer.status not in {500, 502, 503}:
                raise RuntimeError(f"{answer.status}: {answer.data[:300]!r}")
            self.again += 1
        raise AssertionError

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=each) for each in (self.mails, self.names)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()


def main() -> None:
    asked = _asked()
    with tempfile.TemporaryDirectory(prefix="webapi-bench-") as folder:
        Path(folder).chmod(0o755)  # for the user as whom PostgreSQL runs
        with fleet(Path(folder) / "fleet", asked.database) as there:
            load, restarts, stops = Load(there, asked.rate, asked.seed), 0, list[float]()
            with load.running():
                end = time.monotonic() + asked.minutes * 60
                while time.monotonic() < end:
                    due = time.monotonic() + asked.every
                    stops.append(there.renew(restarts))
                    restarts += 1
                    time.sleep(max(0.0, min(due, end) - time.monotonic()))
            there.end_with_the_newer()
            _wait(there, load)
            _report(asked, there, load, restarts, stops)


def _wait(there: Fleet, load: Load) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with there.older.app_context():
            if not db.session.scalar(select(func.count()).where(Job.state.not_in(FINAL))):
                return
        time.sleep(0.5)
    print("some jobs are not over", file=sys.stderr)


def _report(asked: argparse.Namespace, there: Fleet, load: Load, restarts: int, stops: list[float]) -> None:
    names = [line.partition(" ")[0] for line in there.world.read_text().splitlines()]
    mails = [line.partition(" ")[2] for line in there.receipts.read_text().splitlines()]
    did = Counter([*names, *mails])
    with there.older.app_context():
        states = _counted(Job.state)
        begun = db.session.scalar(select(func.count()).where(JobEvent.to_state == State.RUNNING)) or 0
        crashed = db.session.scalar(select(func.sum(Job.crash_count))) or 0
        versions = _counted(Job.payload_version)
        times = db.session.execute(select(Job.run_at, Job.started_at).where(Job.started_at.is_not(None))).all()
        broken = [each.name for each in audit() if each.offenders]
    waits = sorted((started - run_at).total_seconds() for run_at, started in times if started)
    accepted, python = len(set(load.jobs)), sys.version.split()[0]
    print(f"{asked.database}, {asked.minutes:g} min, a worker and a web server anew each {asked.every:g} s: {restarts}")
    print(f"times, {max(stops):.1f} s the longest until both were there again; Python {python}.\n")
    print("| | |\n| --- | --- |")
    rows = {
        "accepted": f"{accepted:,}, {versions[2]:,} of them with the newer payload",
        "lost": accepted - states[State.SUCCEEDED],
        "done twice": sum(count - 1 for count in did.values()),
        "uncertain": states[State.UNCERTAIN],
        "attempts wasted": begun - accepted,
        "attempts that crashed": crashed,
        "broken invariants": ", ".join(broken) or 0,
        "requests sent again for want of an answer": load.again,
        "wait for a worker, median and p99": f"{waits[len(waits) // 2]:.2f} s, {waits[len(waits) * 99 // 100]:.2f} s",
    }
    print("\n".join(f"| {name} | {value} |" for name, value in rows.items()))


def _counted(column: Any) -> Counter[Any]:
    return Counter({row[0]: row[1] for row in db.session.execute(select(column, func.count()).group_by(column))})


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--every", type=float, default=20, help="seconds between two restarts")
    parser.add_argument("--rate", type=float, default=6, help="jobs a second")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    return parser.parse_args()


if __name__ == "__main__":
    main()
