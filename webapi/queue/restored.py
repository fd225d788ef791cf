"""After an older copy of the ledger was put back: what may have been done since then is held for a person.

A due job of the copy may have run after the copy was taken. It becomes `uncertain`, with each act that was open, and
nothing of it is done again until somebody orders it. What was not due yet goes on by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import control
from webapi.queue.control import Answer
from webapi.queue.followup import announce_end
from webapi.queue.ledger import move

CODE = "restored"
SENTENCE = "The ledger was restored from an older copy: whether this was done since then, nobody here can know."
BATCH = 100
ACTOR = "recover"


def due() -> ColumnElement[bool]:
    """Jobs that may have been worked on since the copy was taken."""
    later = Job.state.in_([State.SCHEDULED, State.RETRYING])
    return or_(Job.state.in_([State.QUEUED, State.RUNNING]), and_(later, Job.run_at <= now()))


def counted() -> dict[str, int]:
    """How many such jobs there are, by kind."""
    rows = db.session.execute(select(Job.kind, func.count()).where(due()).group_by(Job.kind).order_by(Job.kind))
    return {row[0]: row[1] for row in rows}


def hold_some() -> int:
    """Hold the next due jobs, in one transaction. Returns how many.

    Their ends are told to each `callback_url` by calls that are accepted with it, and held by the next turn.
    """
    with writing() as session:
        rows = session.execute(select(Job.id, Job.state).where(due()).order_by(Job.id).limit(BATCH).with_for_update())
        found = {job_id: State(state) for job_id, state in rows}
        declined = and_(Effect.maybe, Effect.state.in_([EffectState.REFUSED, EffectState.HELD]))
        open_acts = or_(Effect.state.in_([EffectState.PENDING, EffectState.INFLIGHT]), declined)
        session.execute(
            update(Effect)
            .where(Effect.job_id.in_(found), open_acts)
            .values(state=EffectState.UNKNOWN, maybe=True, marked_at=func.coalesce(Effect.marked_at, now()))
            .execution_options(synchronize_session=False)
        )
        for state in sorted(set(found.values())):
            _hold(session, state, [job_id for job_id, each in found.items() if each is state])
    return len(found)


def _hold(session: Session, state: State, ids: Sequence[UUID]) -> None:
    moved = move(
        session, state, State.UNCERTAIN, Job.id.in_(ids), actor=ACTOR, reason=SENTENCE, error_code=CODE,
        error_public=SENTENCE, finished_at=now(), lease_owner=None, lease_until=None,
    )  # fmt: skip
    announce_end(session, moved, State.UNCERTAIN)


def held(kind: str | None = None, owner_id: UUID | None = None) -> tuple[ColumnElement[bool], ...]:
    """For a query of jobs: those that are held, of one kind or of one owner where it is given."""
    narrower = [Job.kind == kind] if kind else []
    narrower += [Job.owner_id == owner_id] if owner_id else []
    return Job.state == State.UNCERTAIN, Job.error_code == CODE, *narrower


def settle(session: Session, job_id: UUID, answer: Answer, actor: str) -> None:
    """A person's word on a whole job that is held: `delivered`, so that it is over, or `resend`, so that it runs.

    Raises Conflict when it is held no more.
    """
    unknown = select(Effect.id).where(Effect.job_id == job_id, Effect.state == EffectState.UNKNOWN)
    answers: dict[UUID, Answer] = dict.fromkeys(session.scalars(unknown), answer)
    if answers or answer == "delivered":
        control.resolve(session, job_id, answers, actor)
    else:
        control.replay(session, job_id, actor)
