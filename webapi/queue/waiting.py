"""Ending a job that waits: it may have tried before, and what it began then has the last word."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.models import WAITING, Job, State
from webapi.models.columns import now
from webapi.queue.followup import announce_end
from webapi.queue.ledger import move
from webapi.queue.receipts import settle_inflight, tally


def end_waiting(session: Session, job_id: UUID, wanted: State, actor: str, how: str) -> None:
    """Take a waiting job to `wanted`, or to `uncertain` when an act of an earlier attempt may have happened.

    `how` begins the sentence: "Cancelled", "Its deadline passed". Does nothing to a job that does not wait.
    """
    row = session.execute(select(Job.state, Job.attempt).where(Job.id == job_id).with_for_update()).one()
    if row.state not in WAITING:
        return
    settle_inflight(session, job_id)
    verdict = State.UNCERTAIN if tally(session, job_id).unanswered else wanted
    sentence = f"{how} before it was tried again." if row.attempt else f"{how} before it began."
    moved = move(
        session, State(row.state), verdict, Job.id == job_id, actor=actor, reason=sentence,
        finished_at=now(), error_code=wanted.value, error_public=sentence,
    )  # fmt: skip
    announce_end(session, moved, verdict)
