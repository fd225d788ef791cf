"""One act on many jobs: cancel or run again whatever a filter finds, after saying what it would do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from webapi.errors import Conflict, Malformed
from webapi.extensions import db
from webapi.models import FINAL, WAITING, Effect, EffectState, Job, State, User
from webapi.models.transaction import writing
from webapi.queue import control
from webapi.services import job_lists, jobs
from webapi.services.job_lists import Wanted

MOST = 1000  # jobs in one call
TOGETHER = 50  # jobs in one transaction
MOST_COUNTED = 10_000  # jobs beyond those of one call; nobody waits for an exact million

CANCELLABLE = (*WAITING, State.RUNNING)
# Running what succeeded again is meant only by whoever says so.
REPLAYABLE = (State.FAILED, State.UNCERTAIN, State.CANCELLED, State.EXPIRED)
REASONS = {
    "open": "not over yet",
    "over": "over already",
    "unnamed": "succeeded; such jobs run again only when state:succeeded is asked for",
    "gone": "of a kind that is no longer there",
}


@dataclass(frozen=True)
class Outcome:
    """What was done, or with `dry_run` what would be.

    `jobs` counts them by the state that they were in, `effects` by the state of their effects: what is
    done is not repeated, what is unknown waits for a person. `partly` have some effects that are done. `remaining`
    jobs match too and are for the next call; `left_out` match and are not acted on, by the reason. Both are counted
    up to `MOST_COUNTED`. `newest` is the newest id of all that are meant. Where there is no
    index for a filter, older jobs, up to the id `further`, have not been looked at: they are for a call `until` that.
    """

    dry_run: bool
    changed: int = 0
    jobs: dict[State, int] = field(default_factory=dict)
    effects: dict[EffectState, int] = field(default_factory=dict)
    remaining: int = 0
    partly: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    newest: UUID | None = None
    further: UUID | None = None


def cancel(owner: User, wanted: Wanted, *, dry_run: bool) -> Outcome:
    """Cancel the waiting, and ask the running to stop. Raises Malformed without a filter."""
    return _act(owner, wanted, CANCELLABLE, CANCELLABLE, control.cancel, dry_run=dry_run)


def replay(owner: User, wanted: Wanted, *, dry_run: bool, sandbox: bool = False) -> Outcome:
    """Run those again that are over and did not succeed, or those in the states that the filter names.

    With `sandbox` only those of the sandbox.
    """
    return _act(owner, wanted, FINAL, REPLAYABLE, control.replay, dry_run=dry_run, sandbox=sandbox)


def _act(
    owner: User,
    wanted: Wanted,
    possible: Sequence[State],
    default: Sequence[State],
    act: Callable[[Session, UUID, str], None],
    *,
    dry_run: bool,
    sandbox: bool = False,
) -> Outcome:
    if wanted.empty:
        raise Malformed("Name at least one filter, such as kind or state: this acts on every job that matches.")
    named = wanted.named_states
    states = [state for state in (default if named is None else named) if state in possible]
    only: list[ColumnElement[bool]] = [Job.sandbox.is_(True)] if sandbox else []
    known = [Job.kind.in_(list(current_app.extensions["kinds"])), *only]
    query = job_lists.matching(owner, wanted, states, *known)
    left_out = _left_out(owner, wanted, states, possible, only)
    ids = list(db.session.scalars(query.with_only_columns(Job.id).order_by(Job.id).limit(MOST)))
    remaining = _bounded(query.where(Job.id > ids[-1])) if len(ids) == MOST else 0
    newest, unread = job_lists.reach(owner, wanted, states, *known)
    by_state, by_effect, partly = _counted(ids)
    changed = len(ids) if dry_run else sum(_together(owner, some, states, act) for some in _batches(ids))
    further = None if remaining else unread
    return Outcome(dry_run, changed, by_state, by_effect, remaining, partly, left_out, newest, further)


def _bounded(query: Select[Job]) -> int:
    counted = query.with_only_columns(Job.id).limit(MOST_COUNTED).subquery()
    return db.session.scalar(select(func.count()).select_from(counted)) or 0


def _left_out(
    owner: User, wanted: Wanted, states: Sequence[State], possible: Sequence[State], only: Sequence[ColumnElement[bool]]
) -> dict[str, int]:
    """How many match and stay as they are, by the reason."""
    kinds, found = list(current_app.extensions["kinds"]), dict[str, int]()
    others = job_lists.matching(owner, wanted, [each for each in State if each not in states], *only)
    counted = others.with_only_columns(Job.state).limit(MOST_COUNTED).subquery()
    rows = db.session.execute(select(counted.c.state, func.count()).group_by(counted.c.state))
    for state, count in rows:
        reason = REASONS["unnamed" if state in possible else "over" if State(state).final else "open"]
        found[reason] = found.get(reason, 0) + count
    gone = _bounded(job_lists.matching(owner, wanted, states, Job.kind.not_in(kinds), *only))
    return found | ({REASONS["gone"]: gone} if gone else {})


def _batches(ids: list[UUID]) -> list[list[UUID]]:
    return [ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER)]


def _together(owner: User, ids: list[UUID], states: Sequence[State], act: Callable[[Session, UUID, str], None]) -> int:
    """Act on some jobs in one transaction, and leave out those that have moved on meanwhile. Returns how many.

    One that failed when it was looked for may have run again since, and succeeded.
    """
    actor, done = jobs.actor(owner), 0
    with writing() as session:
        # Jobs before their owner's count, as whoever ends one of them: otherwise the two could wait for each other.
        still = select(Job.id).where(Job.id.in_(ids), Job.state.in_(states)).order_by(Job.id)
        for job_id in session.scalars(still.with_for_update(key_share=True)).all():
            with contextlib.suppress(Conflict):
                act(session, job_id, actor)
                done += 1
    return done


def _counted(ids: list[UUID]) -> tuple[dict[State, int], dict[EffectState, int], int]:
    """The jobs by state, their effects by state, and how many of the jobs have an effect that is done."""
    by_state = db.session.execute(select(Job.state, func.count()).where(Job.id.in_(ids)).group_by(Job.state))
    effects = select(Effect.state, func.count(), func.count(Effect.job_id.distinct())).where(Effect.job_id.in_(ids))
    by_effect = db.session.execute(effects.group_by(Effect.state)).all()
    return (
        {State(row[0]): row[1] for row in by_state},
        {EffectState(row[0]): row[1] for row in by_effect},
        sum(row[2] for row in by_effect if row[0] == EffectState.DONE),
    )
