"""Claiming: one winner for each attempt, by compare-and-set (W1 of the protocol)."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import Float, String, bindparam, func, update
from sqlalchemy.orm import Session

from webapi.failpoints import failpoint
from webapi.models import State
from webapi.models.columns import after, now
from webapi.models.lists import among
from webapi.models.transaction import after_commit, writing
from webapi.queue import gates
from webapi.queue.attempt import Attempt
from webapi.queue.children import lease_owner
from webapi.queue.hints import Hint, Hints
from webapi.queue.job import Kind
from webapi.queue.ledger import JOBS, STILL_QUEUED, record
from webapi.queue.ringing import ring
from webapi.queue.taking import take

CLAIM = (
    update(JOBS)
    .where(among(JOBS.c.id, "ids"), STILL_QUEUED)
    .values(
        state=State.RUNNING,
        attempt=JOBS.c.attempt + 1,
        lease_owner=bindparam("an_owner", type_=String),
        lease_until=after(bindparam("a_lease", type_=Float)),
        started_at=func.coalesce(JOBS.c.started_at, now()),
        progress=0,
        progress_note=None,
    )
    .returning(
        JOBS.c.id.label("job_id"),
        JOBS.c.owner_id,
        JOBS.c.attempt.label("number"),
        JOBS.c.epoch,
        JOBS.c.attempt_budget.label("budget"),
        JOBS.c.crash_count,
        JOBS.c.payload,
        JOBS.c.payload_version,
        JOBS.c.request_id,
        JOBS.c.sandbox,
    )
)


def claim(kind: Kind) -> Attempt | None:
    """Take the due job of `kind` whose turn it is; None when there is none, or when its gate is shut."""
    found = claim_set(kind, 1)
    return found[0] if found else None


def claim_set(kind: Kind, most: int) -> list[Attempt]:
    """Take the due jobs of `kind` whose turn it is, at most so many, in one transaction."""
    failpoint("Q3")
    try:
        with writing() as session:
            gates.enter(session, kind)
            found = _claimed(session, kind, most)
            failpoint("W1a")
            return found
    except gates.Shut:
        return []


def _claimed(session: Session, kind: Kind, most: int) -> list[Attempt]:
    """Raises Shut when there is none: it rolls back, so that no place at the gate is taken."""
    taken = take(session, kind.name, kind.version, most)
    if not taken.ids:
        raise gates.Shut
    if taken.left:
        left = Hint(kind.name, kind.queue, taken.left)
        after_commit(lambda: _ring_in_silence(left))
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    owner = lease_owner(app)
    lease: dict[str, Any] = {"an_owner": owner, "a_lease": app.config["LEASE_SECONDS"]}
    rows = {row.job_id: row for row in session.connection().execute(CLAIM, {"ids": taken.ids, **lease})}
    record(session, taken.ids, State.QUEUED, State.RUNNING, f"worker {owner}", "claimed")
    return [Attempt(kind=kind, **rows[each]._mapping) for each in taken.ids]


def _ring_in_silence(hint: Hint) -> None:
    """Unless hints wait in its queue already: one of them will come by."""
    hints: Hints = current_app.extensions["hints"]
    if not hints.waiting([hint.queue]):
        ring([hint])
