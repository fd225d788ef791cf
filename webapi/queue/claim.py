"""Claiming: one winner for each attempt, by compare-and-set (W1 of the protocol)."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import ColumnElement, func, or_

from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import gates, turns
from webapi.queue.attempt import Attempt
from webapi.queue.children import lease_owner
from webapi.queue.job import Kind
from webapi.queue.ledger import move


def claim(kind: Kind) -> Attempt | None:
    """Take the due job of `kind` whose turn it is; None when there is none, or when its gate is shut."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    claimable = (
        Job.kind == kind.name,
        Job.payload_version <= kind.version,  # a newer one is left to those who can read it
        Job.cancel_requested_at.is_(None),
        or_(Job.deadline_at.is_(None), Job.deadline_at > now()),
        ~gates.is_paused(),
    )
    failpoint("Q3")
    try:
        return _claim(kind, claimable, lease_owner(app), app.config["LEASE_SECONDS"])
    except gates.Shut:
        return None


def _claim(kind: Kind, claimable: tuple[ColumnElement[bool], ...], owner: str, lease: float) -> Attempt:
    with writing() as session:
        gates.enter(session, kind)
        turn = turns.next_turn(session, *claimable)
        if turn is None:
            raise gates.Shut  # rolls back: nothing passed, so no place is taken
        moved = move(
            session,
            State.QUEUED,
            State.RUNNING,
            turns.best_of(turn, *claimable),
            *claimable,
            actor=f"worker {owner}",
            reason="claimed",
            attempt=Job.attempt + 1,
            lease_owner=owner,
            lease_until=after(lease),
            started_at=func.coalesce(Job.started_at, now()),
            progress=0,
            progress_note=None,
        )
        if not moved:
            raise gates.Shut
        turns.pass_on(session, turn, moved[0])
        row = session.get_one(Job, moved[0].id)
        failpoint("W1a")
        return _attempt(kind, row)


def _attempt(kind: Kind, row: Job) -> Attempt:
    return Attempt(
        job_id=row.id,
        owner_id=row.owner_id,
        kind=kind,
        number=row.attempt,
        epoch=row.epoch,
        budget=row.attempt_budget,
        crash_count=row.crash_count,
        payload=row.payload,
        payload_version=row.payload_version,
        request_id=row.request_id,
        sandbox=row.sandbox,
    )
