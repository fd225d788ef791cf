"""How long one owner's single job waits beside another's thousands of the same kind.

    python -m benchmarks.neighbour [--jobs 10000] [--oldest 10000] [--singles 9] [--accepts 2000]

Waits are from acceptance to the claim, by the database's clock, with a real worker and a real Redis. "Oldest first"
gives every waiting job the same turn, which is the order without turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, insert, select, update
from uuid_utils.compat import uuid7

from benchmarks.stage import stage
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import Kind, gates, kind_named, submit, turns
from webapi.queue.ledger import add_open
from webapi.services import accounts

KIND, PAYLOAD = "http.call", {"url": "https://example.com/"}  # in the sandbox: all of it is done, and nothing leaves
PATIENCE = 1800.0  # seconds
BLOCK = 100  # jobs between two looks at the clock


def main() -> None:
    asked = _asked()
    with tempfile.TemporaryDirectory(prefix="webapi-bench-") as folder:
        Path(folder).chmod(0o755)  # for the user as whom PostgreSQL runs
        with stage(Path(folder) / "stage", asked.database, concurrency=2) as there, there.app.app_context():
            noisy, quiet = (accounts.create(f"{n}@example.com", n, "x" * 20, verified=True).id for n in ("one", "two"))
            wait_for(accept(noisy))  # a worker that is warm
            idle = [wait_for(accept(quiet)) for _ in range(asked.singles)]
            with crowd(noisy, asked.jobs, fair=True):
                fair = [wait_for(accept(quiet)) for _ in range(asked.singles)]
            seconds = accept_many(noisy, asked.accepts)
            with crowd(noisy, asked.oldest, fair=False):
                oldest_first = [wait_for(accept(quiet))]
    print(f"# A neighbour with {asked.jobs:,} queued jobs, {asked.database}, Python {sys.version.split()[0]}\n")
    print("| a single job of another owner | waits (median) | most | against idle |\n| --- | --- | --- | --- |")
    for name, waits in (("idle", idle), ("turns", fair), (f"oldest first, {asked.oldest:,}", oldest_first)):
        middle = statistics.median(waits)
        ratio = middle / statistics.median(idle)
        print(f"| {name} | {middle * 1000:,.0f} ms | {max(waits) * 1000:,.0f} ms | {ratio:,.1f} × |")
    print(f"\nAccepting alone, one at a time: {1e6 * seconds:,.0f} µs a job (median of blocks of {BLOCK}).")


def accept(owner_id: UUID) -> UUID:
    kind: Kind = kind_named(KIND)
    job_id: UUID = submit(KIND, kind.payload.model_validate(PAYLOAD), owner_id=owner_id, sandbox=True).id
    return job_id


def wait_for(job_id: UUID) -> float:
    """Seconds from the acceptance of a job to its claim."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        db.session.rollback()  # a look at the ledger as it is now
        created, started = db.session.execute(select(Job.created_at, Job.started_at).where(Job.id == job_id)).one()
        if started is not None:
            wait: float = (started - created).total_seconds()
            return wait
        time.sleep(0.01)
    raise RuntimeError("it was not begun")


@contextmanager
def crowd(owner_id: UUID, count: int, *, fair: bool) -> Iterator[None]:
    """So many queued jobs that a worker works on; at the end those that are left are cancelled."""
    gates.pause(KIND, "benchmark")
    _insert(owner_id, count, fair=fair)
    print(f"{count:,} jobs wait; fair: {fair}", file=sys.stderr)
    begun = _finished()
    gates.resume(KIND)
    while _finished() < begun + 20:
        time.sleep(0.05)
    yield
    print(f"{_waiting():,} of {count:,} were still waiting when it was over.", file=sys.stderr)
    _clear()


def _clear() -> None:
    with writing() as session:
        over = {"state": State.CANCELLED, "finished_at": now()}
        session.execute(update(Job).where(Job.state == State.QUEUED).values(over))


def _insert(owner_id: UUID, count: int, *, fair: bool) -> None:
    """Without the doors, which would take longer than all the rest."""
    kind, columns = kind_named(KIND), {"owner_id": owner_id, "kind": KIND, "payload": PAYLOAD, "sandbox": True}
    columns |= {"queue": kind.queue, "state": State.QUEUED, "attempt_budget": kind.retry.budget}
    with writing() as session:
        first: int = session.scalar(select(turns.last_of(KIND, owner_id))) or 0
        rows = [{"id": uuid7(), "turn": first + place if fair else 0, **columns} for place in range(count)]
        session.execute(insert(Job).values(run_at=now(), published_at=now()), rows)
        add_open(session, owner_id, count)


def _finished() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Job.kind == KIND, Job.state == State.SUCCEEDED)) or 0


def _waiting() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Job.kind == KIND, Job.state == State.QUEUED)) or 0


def accept_many(owner_id: UUID, count: int) -> float:
    """Seconds for a job that is accepted in a transaction of its own."""
    gates.pause(KIND, "benchmark")
    blocks: list[float] = []
    for _ in range(0, count, BLOCK):
        began = time.perf_counter()
        for _ in range(BLOCK):
            accept(owner_id)
        blocks.append((time.perf_counter() - began) / BLOCK)
    _clear()
    return statistics.median(blocks)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument(
        "--oldest", type=int, default=10_000, help="jobs in the run without turns, which takes them all"
    )
    parser.add_argument("--singles", type=int, default=9)
    parser.add_argument("--accepts", type=int, default=2000)
    parser.add_argument("--database", default="postgresql", choices=["postgresql", "sqlite"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
