"""No-op jobs a second: ours, in sets and one by one, beside peers. In turns, and only one has work at a time.

    python -m benchmarks.work [--jobs 8000] [--singles 400] [--messages 2500] [--runs 3]

Each has two worker processes, the same Valkey and the same PostgreSQL. Celery keeps nothing, Huey and Dramatiq a row
for each task with two commits, ours its ledger. A rate is that of the middle 80 % of the jobs: by when the ledger says
that they ended, and for the peers by how long their queue is.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, update
from uuid_utils.compat import uuid7

from benchmarks import machine
from benchmarks.draining import Drained, drained
from benchmarks.goals import Goal, table
from benchmarks.kinds.noop import Nothing
from benchmarks.rivals import DRAINED, NOOP, PROCESSES, Rivals
from benchmarks.spending import processor, servers
from benchmarks.stage import Stage, stage
from webapi.extensions import db
from webapi.models import Gate, Job, State, User
from webapi.models.transaction import writing
from webapi.queue import gates, kind_named
from webapi.queue.audit import audit
from webapi.queue.batch import submit_batch
from webapi.queue.hints import Hint, Hints

SLOW = 300.0  # seconds for a run to end on a machine that is busy with something else
AT_ONCE = 1000  # jobs in one order
SETS, SINGLES = "ours, 64 a claim", "ours, one a claim"
RATIOS = {NOOP: ("no-op jobs: ≥ 4 × Celery prefork", 4.0)} | {
    peer: (f"no-op jobs: ≥ 2 × {peer.name}", 2.0) for peer in DRAINED if peer is not NOOP
}


def ours(there: Stage, kind_name: str, jobs: int) -> Drained:
    """Accept so many while the kind is paused, then let them go and ring once for each process."""
    with there.app.app_context():
        kind, hints = kind_named(kind_name), there.app.extensions["hints"]
        gates.pause(kind_name, "benchmark")
        begun, accepted = _ended(kind_name), _accept(kind_name, jobs)
        _wait(lambda: hints.waiting([kind.queue]) == 0, 0.1)  # of acceptance, which found the kind paused
        before = processor(there.supervisor.pid("worker")), servers(there.supervisor)
        _let_go(kind_name, hints, kind.queue)
        _wait(lambda: _ended(kind_name) >= begun + jobs, 0.5)
        workers = processor(there.supervisor.pid("worker")) - before[0]
        served = servers(there.supervisor) - before[1]
        return Drained(_rate(kind_name, accepted), workers / jobs * 1e6, served / jobs * 1e6)


def _accept(kind_name: str, jobs: int) -> datetime:
    """Returns when the last of them was accepted."""
    owner_id: UUID = db.session.scalars(select(User.id)).one()
    for at in range(0, jobs, AT_ONCE):
        payloads = {number: Nothing(number=at + number) for number in range(min(AT_ONCE, jobs - at))}
        submit_batch(kind_named(kind_name), payloads, owner_id=owner_id, once=None, tags=[])
    return db.session.execute(select(func.max(Job.created_at))).scalar_one()


def _let_go(kind_name: str, hints: Hints, queue: str) -> None:
    with writing() as session:
        session.execute(update(Gate).where(Gate.kind == kind_name).values(paused_at=None))
    hints.ring([Hint(kind_name, queue, uuid7())] * PROCESSES)


def _rate(kind_name: str, accepted: datetime) -> float:
    ends = select(Job.finished_at).where(Job.kind == kind_name, Job.finished_at > accepted).order_by(Job.finished_at)
    times = [each for each in db.session.scalars(ends) if each is not None]
    early, late = len(times) // 10, len(times) * 9 // 10
    return (late - early) / (times[late] - times[early]).total_seconds()


def _ended(kind_name: str) -> int:
    db.session.rollback()
    done = select(func.count()).where(Job.kind == kind_name, Job.state == State.SUCCEEDED)
    return db.session.scalar(done) or 0


def _wait(condition: Callable[[], bool], pause: float) -> None:
    deadline = time.monotonic() + SLOW
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("it did not end")
        time.sleep(pause)


def measure(there: Stage, asked: argparse.Namespace) -> dict[str, list[Drained]]:
    """All runs, in turns. Ours has one more before, to warm up: the peers' workers start anew for each run."""
    rivals = Rivals(there.app, there.supervisor)
    for peer in DRAINED:
        rivals.prepare(peer)
    each: dict[str, Callable[[], Drained]] = {
        SETS: partial(ours, there, "bench.noop", asked.jobs),
        SINGLES: partial(ours, there, "bench.single", asked.singles),
    }
    for one in each.values():
        one()
    each |= {peer.name: partial(drained, rivals, peer, asked.messages) for peer in DRAINED}
    found: dict[str, list[Drained]] = {name: [] for name in each}
    for _ in range(asked.runs):
        for name, one in each.items():
            there.supervisor.pause(0)  # raises when somebody asked us to stop
            found[name].append(one())
            print(f"{name}: {found[name][-1].rate:,.0f}/s", file=sys.stderr)
    return found


def report(found: dict[str, list[Drained]], runs: int, broken: list[str]) -> None:
    print(f"## No-op jobs, {machine.today()}\n")
    print(f"PostgreSQL, {PROCESSES} worker processes each, medians of {runs} runs, in turns; {machine.line()}.")
    print("The last columns are processor time for a job: of the workers, and of PostgreSQL and Valkey together.\n")
    print("| | jobs a second | from – to | ours in sets is | workers µs | servers µs |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, each in found.items():
        rates = [one.rate for one in each]
        workers, served = (statistics.median(getattr(one, part) for one in each) for part in ("workers", "servers"))
        ratio = f"{_median(found, SETS) / _median(found, name):.1f} ×"
        spread = f"{min(rates):,.0f} – {max(rates):,.0f}"
        print(f"| {name} | {_median(found, name):,.0f} | {spread} | {ratio} | {workers:,.0f} | {served:,.0f} |")
    print(f"\nThe audit of the ledger finds {', '.join(broken) or 'nothing'}.")
    print(table(goals(found)))


def _median(found: dict[str, list[Drained]], name: str) -> float:
    return statistics.median(one.rate for one in found[name])


def goals(found: dict[str, list[Drained]]) -> list[Goal]:
    """Ours with its ledger, beside Celery, which keeps nothing, and beside those that keep a row."""
    mine, met = _median(found, SETS), []
    for peer, (wanted, least) in RATIOS.items():
        theirs = _median(found, peer.name)
        met.append(Goal(wanted, f"{mine:,.0f}/s", f"{mine / theirs:.2f} × {theirs:,.0f}/s", mine >= least * theirs))
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=8000, help="claimed in sets")
    parser.add_argument("--singles", type=int, default=400, help="claimed one by one")
    parser.add_argument("--messages", type=int, default=2500, help="of each peer's")
    parser.add_argument("--runs", type=int, default=3)
    asked, folder = parser.parse_args(), Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    try:
        with stage(folder / "system", "postgresql", concurrency=PROCESSES, MAX_OPEN_JOBS=1_000_000) as there:
            found = measure(there, asked)
            with there.app.app_context():
                broken = [finding.name for finding in audit(files=False) if finding.offenders]
        report(found, asked.runs, broken)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
