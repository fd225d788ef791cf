"""What a full ledger costs: accepting and claiming at 10,000 jobs and at many more, on PostgreSQL with its durability.

    python -m benchmarks.ledger [--rows 200000] [--rounds 5]

Two databases of one server, and the same work in turns on either. Rates are medians of the rounds, and their ratio is
that of the rounds' ratios. Beside them what a job costs in processor time, ours and the database's together, over all
rounds: it hardly depends on what else the machine does. Before, jobs are accepted until they lie together (see
`benchmarks.holes`). Then what the hot paths ask of the larger one: the dearest
statement of each, by the pages of 8 KB that it reads, as EXPLAIN ANALYZE sees it. Linux only.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from pydantic import BaseModel
from sqlalchemy import text

from benchmarks.goals import Goal, table
from benchmarks.holes import fill_holes
from benchmarks.processors import Taken, take
from tests.queue.plans import heard
from tests.queue.throng import OWNERS, Throng, fill
from tests.servers import Broker, running
from webapi import create_app
from webapi.extensions import db
from webapi.local.drill.database import ledger
from webapi.local.processes import Supervisor
from webapi.local.scratch import defaults
from webapi.models import User
from webapi.queue import DECLARATION, Kind, finish, job, submit
from webapi.queue.attempt import Attempt
from webapi.queue.batch import submit_batch
from webapi.queue.claim import claim
from webapi.queue.relay import wake_due
from webapi.queue.republish import republish
from webapi.services import job_lists, job_queries

LEAST = 0.9  # of the rate of the small ledger
SMALL, BATCH, SINGLES, CLAIMS = 10_000, 1_000, 100, 100
OPEN = 30_000  # jobs of the large ledger, at most, that are not over; the small one has as great a part


class Nothing(BaseModel):
    """What there is to do."""


@job("test.note")  # one of those that the ledgers are full of
def do_nothing(nothing: Nothing) -> None:
    """Do it."""


KIND: Kind = getattr(do_nothing, DECLARATION)


class Ledger:
    """One database, and work on it."""

    def __init__(self, app: Flask, rows: int) -> None:
        self.app, self.rows = app, rows
        self._held: list[Attempt] = []

    def fill(self) -> None:
        with self.app.app_context():
            upgrade()
            fill(Throng(self.rows, min(OPEN, self.rows // 10)))

    def accept_a_batch(self) -> int:
        submit_batch(KIND, {place: Nothing() for place in range(BATCH)}, owner_id=OWNERS[1])
        return BATCH

    def accept_single_jobs(self) -> int:
        for _ in range(SINGLES):
            submit(KIND.name, Nothing(), owner_id=OWNERS[2])
        return SINGLES

    def claim(self) -> int:
        self._held = [held for _ in range(CLAIMS) if (held := claim(KIND))]
        return len(self._held)

    def finish(self) -> int:
        for held in self._held:
            finish.succeeded(held, None)
        return len(self._held)

    def works(self) -> dict[str, Callable[[], int]]:
        return {
            f"accept, {BATCH:,} in a batch": self.accept_a_batch,
            "accept, one by one": self.accept_single_jobs,
            "claim, one by one": self.claim,
            "finish, one by one": self.finish,
        }

    def close(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def ledgers(rows: int) -> Iterator[list[Ledger]]:
    """A small and a large one, on one server and one Redis."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Broker()) as broker,
        Supervisor(Path.cwd(), Path(folder) / "log", lambda line: None, longest_pause=0.2) as supervisor,
    ):
        url = ledger("postgresql", Path(folder), supervisor)
        found = [_ledger(url, broker, size, f"ledger{size}") for size in (SMALL, rows)]
        for each in found:
            each.fill()
            with each.app.app_context():
                fill_holes(each.accept_a_batch)
        yield found
        for each in found:
            each.close()


def _ledger(url: str, broker: Broker, rows: int, name: str) -> Ledger:
    first = create_app(defaults() | {"DATABASE_URL": url})
    with first.app_context():
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        db.engine.dispose()
    settings = {"DATABASE_URL": url.replace("/postgres", f"/{name}"), "REDIS_URL": broker.url}
    app = create_app(defaults() | settings)
    app.extensions["kinds"][KIND.name] = KIND
    return Ledger(app, rows)


def measure(small: Ledger, large: Ledger, rounds: int) -> list[Goal]:
    rounds_of: dict[str, list[tuple[Taken, Taken]]] = defaultdict(list)
    for number in range(rounds + 1):
        for what in small.works():
            # Whoever goes first finds the disk as the other left it.
            order = (small, large) if number % 2 else (large, small)
            gc.collect()
            taken = {}
            for each in order:
                with each.app.app_context():
                    taken[each] = take(each.works()[what])
            if number:  # the first one warms up
                rounds_of[what].append((taken[small], taken[large]))
    sizes = f"at {small.rows:,} | at {large.rows:,}"
    print(f"| | jobs a second {sizes} | ratio | from – to | µs of a processor for one {sizes} | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    goals = []
    for what, pairs in rounds_of.items():
        few, many = (statistics.median(each.rate for each in side) for side in zip(*pairs, strict=True))
        ratios = sorted(b.rate / a.rate for a, b in pairs)
        little, much = (_cost(side) for side in zip(*pairs, strict=True))
        words = f"{few:,.0f} | {many:,.0f} | **{statistics.median(ratios):.2f}** | {ratios[0]:.2f} – {ratios[-1]:.2f}"
        print(f"| {what} | {words} | {little:,.0f} | {much:,.0f} | **{much / little:.2f}** |", flush=True)
        wanted = f"{what} at {large.rows:,} jobs: ≥ 0.9 × the rate at {small.rows:,}"
        middle = statistics.median(ratios)
        goals.append(Goal(wanted, f"{many:,.0f}/s", f"{middle:.2f} × {few:,.0f}/s", middle >= LEAST))
    return goals


def _cost(taken: Sequence[Taken]) -> float:
    """Microseconds of processor time for one job."""
    return 1e6 * sum(each.busy for each in taken) / sum(each.jobs for each in taken)


def explain(large: Ledger) -> None:
    """The dearest statement of each hot path."""
    print(f"\n| at {large.rows:,} jobs | ms | pages | found by |\n| --- | --- | --- | --- |")
    with large.app.app_context():
        owner = db.session.get_one(User, OWNERS[0])
        failed = job_lists.Wanted(terms=job_queries.read("state:failed"))
        paths: dict[str, Callable[[], object]] = {
            "claim": large.claim,
            "accept": lambda: submit(KIND.name, Nothing(), owner_id=owner.id),
            "due, by the relay": wake_due,
            "hints again, by the relay": republish,
            "newest 50 that failed": lambda: job_lists.page(owner, failed),
            "counts of an owner": lambda: job_lists.counts(owner),
        }
        for name, path in paths.items():
            with redirect_stdout(sys.stderr):  # what the relay logs is no row of a table
                path()
                with heard() as found:
                    path()
            plan = max(found.plans.values(), key=lambda each: each.pages)
            by = ", ".join(sorted(plan.indexes | plan.scans)) or "no index: it inserts"
            print(f"| {name} | {plan.milliseconds:.2f} | {plan.pages} | {by} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(f"## A ledger of {asked.rows:,} jobs beside one of {SMALL:,}\n")
    with ledgers(asked.rows) as (small, large):
        goals = measure(small, large, asked.rounds)
        explain(large)
    print(table(goals))


if __name__ == "__main__":
    main()
