"""One act on many jobs: cancel or run again whatever a filter finds, after saying what it would do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select
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

CANCELLABLE = (*WAITING, State.RUNNING)
# Running what succeeded again is meant only by whoever says so.
REPLAYABLE = (State.FAILED, State.UNCERTAIN, State.CANCELLED, State.EXPIRED)


@dataclass(frozen=True)
class Outcome:
    """What was done, or with `dry_run` what would be.

    `jobs` counts them by the state that they were in, `effects` by the state of their effects: what is
    done is not repeated, what is unknown waits for a person. `remaining` jobs match too and are for the next call.
    """

    dry_run: bool
    changed: int
    jobs: dict[State, int]
    effects: dict[EffectState, int]
    remaining: int


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
    if not any(vars(wanted).values()):
        raise Malformed("Name at least one filter, such as kind or state: this acts on every job that matches.")
    states = [state for state in wanted.states or default if state in possible]
    if not states:
        return Outcome(dry_run, 0, {}, {}, 0)
    query = job_lists.matching(owner, replace(wanted, states=states))
    query = query.where(Job.sandbox) if sandbox else query
    total = db.session.scalar(query.with_only_columns(func.count())) or 0
    ids = list(db.session.scalars(query.with_only_columns(Job.id).order_by(Job.id).limit(MOST)))
    by_state, by_effect = _counted(ids)
    changed = len(ids) if dry_run else sum(_together(owner, some, act) for some in _batches(ids))
    return Outcome(dry_run, changed, by_state, by_effect, total - len(ids))


def _batches(ids: list[UUID]) -> list[list[UUID]]:
    return [ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER)]


def _together(owner: User, ids: list[UUID], act: Callable[[Session, UUID, str], None]) -> int:
    """Act on some jobs in one transaction, and leave out those that have moved on meanwhile. Returns how many."""
    actor, done = jobs.actor(owner), 0
    with writing() as session:
        # Jobs before their owner's count, as whoever ends one of them: otherwise the two could wait for each other.
        session.execute(select(Job.id).where(Job.id.in_(ids)).order_by(Job.id).with_for_update())
        for job_id in ids:
            with contextlib.suppress(Conflict):
                act(session, job_id, actor)
                done += 1
    return done


def _counted(ids: list[UUID]) -> tuple[dict[State, int], dict[EffectState, int]]:
    by_state = db.session.execute(select(Job.state, func.count()).where(Job.id.in_(ids)).group_by(Job.state))
    by_effect = db.session.execute(
        select(Effect.state, func.count()).where(Effect.job_id.in_(ids)).group_by(Effect.state)
    )
    return {State(row[0]): row[1] for row in by_state}, {EffectState(row[0]): row[1] for row in by_effect}
