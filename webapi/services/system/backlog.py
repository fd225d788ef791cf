"""What waits and what runs, by kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Integer, String, Uuid, select, text

from webapi.extensions import db
from webapi.models import Gate, State, User
from webapi.models.columns import Moment
from webapi.queue import gates
from webapi.queue.job import Kind
from webapi.services.system import CAP

RUNS = 500  # running jobs that are read; a system has about as many as it has slots

# Each kind is found by one step in the index of turns, and its oldest job by one step in the index of these: nothing is
# read in proportion to the queue but the count, which stops. The states are literals so that SQLite, too, can tell that
# its partial indexes hold what is asked for.
_DUE = text(
    """
    WITH RECURSIVE kinds(kind) AS (
        SELECT (SELECT kind FROM jobs WHERE state = 'queued' ORDER BY kind LIMIT 1)
        UNION ALL
        SELECT (SELECT jobs.kind FROM jobs WHERE jobs.state = 'queued' AND jobs.kind > kinds.kind
                ORDER BY jobs.kind LIMIT 1)
        FROM kinds WHERE kinds.kind IS NOT NULL
    )
    SELECT kind,
        (SELECT jobs.queue FROM jobs WHERE jobs.state = 'queued' AND jobs.kind = kinds.kind
         ORDER BY jobs.turn, jobs.id LIMIT 1) AS queue,
        (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE jobs.state = 'queued' AND jobs.kind = kinds.kind
                               LIMIT :most) AS few) AS due,
        (SELECT jobs.run_at FROM jobs WHERE jobs.state = 'queued' AND jobs.priority >= 0 AND jobs.kind = kinds.kind
         ORDER BY jobs.run_at LIMIT 1) AS oldest
    FROM kinds WHERE kind IS NOT NULL
    """
).columns(kind=String, queue=String, due=Integer, oldest=Moment)

_LATER = text(
    """
    SELECT kind, state, count(*) AS jobs FROM (
        SELECT kind, state FROM jobs WHERE state IN ('scheduled', 'retrying') ORDER BY run_at LIMIT :most) AS few
    GROUP BY kind, state
    """
).columns(kind=String, state=String, jobs=Integer)

_RUNNING = text(
    """
    SELECT jobs.id, jobs.kind, jobs.owner_id, jobs.attempt, jobs.progress, jobs.lease_owner, jobs.lease_until,
        job_events.at AS since
    FROM jobs LEFT JOIN job_events ON job_events.job_id = jobs.id AND job_events.attempt = jobs.attempt
        AND job_events.to_state = 'running'
    WHERE jobs.state = 'running' ORDER BY jobs.lease_until LIMIT :most
    """
).columns(
    id=Uuid, kind=String, owner_id=Uuid, attempt=Integer, progress=Integer, lease_owner=String, lease_until=Moment,
    since=Moment,
)  # fmt: skip


@dataclass(frozen=True)
class Running:
    """An attempt under way. `since` is when it was claimed."""

    id: UUID
    kind: str
    owner_id: UUID
    attempt: int
    progress: int
    lease_owner: str
    lease_until: datetime
    since: datetime | None


@dataclass(frozen=True)
class Waiting:
    """One kind. `due` wait for a worker; `scheduled` and `retrying` for their time. A count over `CAP` means more.

    A kind is not `known` when this version of the program does not declare it: nobody runs its jobs.
    """

    name: str
    queue: str
    known: bool
    due: int
    oldest: datetime | None
    scheduled: int
    retrying: int
    running: int
    paused_at: datetime | None
    paused_by: str | None
    held: str  # by its rate or its cap, in words; empty without either

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to say about it."""
        return not (self.due or self.scheduled or self.retrying or self.running or self.paused_at)


def running() -> list[Running]:
    """What runs just now, the attempts whose leases end first at the head; at most `RUNS`."""
    return [Running(*row) for row in db.session.execute(_RUNNING, {"most": RUNS})]


def kinds(attempts: list[Running]) -> list[Waiting]:
    """Every kind that is declared, and every other of which a job is open."""
    due = {row.kind: row for row in db.session.execute(_DUE, {"most": CAP + 1})}
    later: dict[str, Counter[str]] = defaultdict(Counter)
    for row in db.session.execute(_LATER, {"most": CAP + 1}):
        later[row.kind][row.state] = row.jobs
    busy = Counter(each.kind for each in attempts)
    shut = select(Gate.kind, Gate.paused_at, Gate.paused_by).where(Gate.paused_at.is_not(None))
    paused = {row.kind: row for row in db.session.execute(shut)}
    declared = current_app.extensions["kinds"]
    return [
        _waiting(name, declared.get(name), due.get(name), later[name], busy[name], paused.get(name))
        for name in sorted({*declared, *due, *later, *busy})
    ]


def _waiting(name: str, kind: Kind | None, due: Any, later: Counter[str], busy: int, gate: Any) -> Waiting:
    return Waiting(
        name=name,
        queue=kind.queue if kind else due.queue if due else "",
        known=kind is not None,
        due=due.due if due else 0,
        oldest=due.oldest if due else None,
        scheduled=later[State.SCHEDULED],
        retrying=later[State.RETRYING],
        running=busy,
        paused_at=gate.paused_at if gate else None,
        paused_by=_named(gate.paused_by) if gate else None,
        held=_held(kind) if kind else "",
    )


def _named(actor: str | None) -> str:
    """The name of the administrator who acted; what is no person's id stays as it is, such as `command line`."""
    words = (actor or "nobody knows whom").split(" ")
    person = db.session.get(User, UUID(words[1])) if words[0] == "user" and len(words) == 2 else None
    return person.name if person else " ".join(words)


def _held(kind: Kind) -> str:
    """`at most 100/m, the next in 1.2 s`, `3 of 4 at once`."""
    if not kind.gated:
        return ""
    gate, parts = gates.opening(kind), []
    if kind.rate is not None:
        parts.append(f"at most {kind.rate}" + (f", the next in {gate.wait:.1f} s" if gate.wait else ""))
    if kind.concurrency is not None:
        parts.append(f"{gate.running} of {kind.concurrency} at once")
    return "; ".join(parts)
