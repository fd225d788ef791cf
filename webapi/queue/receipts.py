"""The receipts of a job: its effects as rows, written before they are tried and counted when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.models import Effect, EffectState
from webapi.queue.job import Kind


def plan(session: Session, job_id: UUID, kind: Kind, keys: Iterable[str]) -> None:
    """Write down what a job is going to do, before it does any of it."""
    if rows := planned(job_id, kind, keys):
        session.execute(insert(Effect), rows)


def planned(job_id: UUID, kind: Kind, keys: Iterable[str]) -> list[dict[str, Any]]:
    """The rows that `plan` writes."""
    return [
        {"id": uuid7(), "job_id": job_id, "effect_key": key, "kind": kind.effect, "state": EffectState.PENDING}
        for key in dict.fromkeys(keys)
    ]


def settle_inflight(session: Session, job_id: UUID) -> None:
    """A job that ends leaves no act in flight: what was marked and not answered is unknown.

    So is what had no answer once and was declined or put off when it was tried again: the first try
    may have happened, and only a person can settle that.
    """
    declined = and_(Effect.maybe, Effect.state.in_([EffectState.PENDING, EffectState.REFUSED, EffectState.HELD]))
    session.execute(
        update(Effect)
        .where(Effect.job_id == job_id, or_(Effect.state == EffectState.INFLIGHT, declined))
        .values(state=EffectState.UNKNOWN, maybe=True)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True)
class Tally:
    """How the effects of one job stand."""

    by_state: dict[EffectState, int]
    unanswered: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    @property
    def all_done(self) -> bool:
        return self.by_state.get(EffectState.DONE, 0) == self.total


def tally(session: Session, job_id: UUID) -> Tally:
    """Count a job's effects. Unanswered are those unknown, in flight, or once left without an answer."""
    rows = session.execute(
        select(Effect.state, Effect.maybe, func.count())
        .where(Effect.job_id == job_id)
        .group_by(Effect.state, Effect.maybe)
    ).all()
    by_state: dict[EffectState, int] = {}
    unanswered = 0
    for state, maybe, count in rows:
        by_state[EffectState(state)] = by_state.get(EffectState(state), 0) + count
        if state != EffectState.DONE and (maybe or state in {EffectState.UNKNOWN, EffectState.INFLIGHT}):
            unanswered += count
    return Tally(by_state, unanswered)
