"""Effects: intent, act, receipt. What is done is never repeated, and what nobody can know is said so.

A kind's function asks `outstanding(keys)` for what is left to do. For each it calls `mark()` right
before the irrevocable moment and `settle()` with the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import exists, select, true, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.failpoints import failpoint
from webapi.models import Effect, EffectState, Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue.attempt import Attempt, Cancelled, Replaced, current
from webapi.queue.control import refine
from webapi.queue.receipts import plan

# What others judged unknown meanwhile becomes done by a late receipt; less than that leaves it to a person.
OPEN_TO = {True: [EffectState.INFLIGHT, EffectState.UNKNOWN], False: [EffectState.INFLIGHT]}
ANSWER_LIMIT = 25.0  # seconds; the longest wait for the answer to an act, always less than half a lease


def answer_limit() -> float:
    """Seconds within which an act must be answered, so that its lease outlives it."""
    return min(ANSWER_LIMIT, 0.4 * float(current_app.config["LEASE_SECONDS"]))


@dataclass
class Act:
    """One effect that this attempt is to perform. Without a ledger (`attempt` is None) nothing is recorded."""

    key: str
    id: UUID
    attempt: Attempt | None
    try_no: int = 0

    def mark(self) -> None:
        """E1: from here on the act may have happened. Raises Replaced or Cancelled when it must not."""
        if self.attempt is None:
            return
        self.attempt.still_mine()
        failpoint("E0")
        with writing() as session:
            mine = select(Job.id).where(
                *self.attempt.fence,
                Job.state == State.RUNNING,
                Job.cancel_requested_at.is_(None),
                Job.lease_until > after(answer_limit()),
            )
            if session.execute(mine.with_for_update()).first() is None:
                raise _why_not(session, self.attempt)
            marked = session.execute(
                update(Effect)
                .where(Effect.id == self.id, Effect.state == EffectState.PENDING)
                .values(
                    state=EffectState.INFLIGHT, marked_by=self.attempt.number, try_no=Effect.try_no + 1, marked_at=now()
                )
                .returning(Effect.try_no)
                .execution_options(synchronize_session=False)
            ).first()
            if marked is None:
                raise Replaced
            self.try_no = marked[0]
            failpoint("E1a")
        failpoint("E1b")

    def settle(self, state: EffectState, *, code: int | None = None, reply: str = "", message_id: str = "") -> None:
        """E3: what came back. PENDING means that it certainly did not happen and may be tried again."""
        if self.attempt is None:
            return
        failpoint("E3a")
        with writing() as session:
            session.execute(
                update(Effect)
                .where(
                    Effect.id == self.id,
                    Effect.marked_by == self.attempt.number,
                    Effect.try_no == self.try_no,
                    Effect.state.in_(OPEN_TO[state is EffectState.DONE]),
                )
                .values(
                    state=state,
                    maybe=true() if state is EffectState.UNKNOWN else Effect.maybe,
                    code=code,
                    reply=reply[:1000],
                    message_id=message_id,
                    settled_at=None if state is EffectState.PENDING else now(),
                )
                .execution_options(synchronize_session=False)
            )
            judged = session.scalar(select(Job.state).where(Job.id == self.attempt.job_id)) == State.UNCERTAIN
        failpoint("E5")
        if judged:
            # Others gave the job its verdict meanwhile, and this is the evidence that was missing. In a transaction of
            # its own: whoever settles an effect by hand locks the job first and the effect after it.
            with writing() as session:
                refine(session, self.attempt.job_id, "worker")

    def refuse(self, *, code: int | None, reply: str) -> None:
        """The other side declined before the irrevocable moment; it never was marked."""
        self._before_the_act(EffectState.REFUSED, code, reply)

    def defer(self, *, code: int | None, reply: str) -> None:
        """The other side asked to come back later, before the irrevocable moment."""
        self._before_the_act(EffectState.PENDING, code, reply)

    def _before_the_act(self, state: EffectState, code: int | None, reply: str) -> None:
        if self.attempt is None:
            return
        self.attempt.still_mine()
        with writing() as session:
            session.execute(
                update(Effect)
                .where(
                    Effect.id == self.id,
                    Effect.state == EffectState.PENDING,
                    exists().where(*self.attempt.fence, Job.state == State.RUNNING),
                )
                .values(
                    state=state,
                    code=code,
                    reply=reply[:1000],
                    settled_at=None if state is EffectState.PENDING else now(),
                )
                .execution_options(synchronize_session=False)
            )


def _why_not(session: Session, attempt: Attempt) -> Replaced | Cancelled:
    """Why an effect must not begin: the job is somebody else's, or it is to stop."""
    asked = session.scalar(select(Job.cancel_requested_at).where(*attempt.fence, Job.state == State.RUNNING))
    if asked is not None:
        attempt.cancelled.set()
        return Cancelled()
    attempt.lost.set()
    return Replaced()


def outstanding(keys: Iterable[str]) -> list[Act]:
    """The acts among `keys` that are still to be done, in that order; those not yet planned are planned.

    An act that an earlier attempt marked and that has no answer may have happened: under `hold` it is
    unknown and waits for a person; under `resend` it is done again, and counted.
    """
    keys = list(dict.fromkeys(keys))
    attempt = current()
    if attempt is None:
        return [Act(key, uuid7(), None) for key in keys]
    with writing() as session:
        _judge_unanswered(session, attempt)
        known = set(session.scalars(select(Effect.effect_key).where(Effect.job_id == attempt.job_id)))
        plan(session, attempt.job_id, attempt.kind, [key for key in keys if key not in known])
        rows = session.execute(
            select(Effect.effect_key, Effect.id).where(
                Effect.job_id == attempt.job_id, Effect.state == EffectState.PENDING
            )
        )
        ids = {row.effect_key: row.id for row in rows}
    return [Act(key, ids[key], attempt) for key in keys if key in ids]


def receipt(key: str) -> dict[str, Any]:
    """What is written down about an act of the current job, by an attempt before this one: its code and its reply."""
    attempt = current()
    query = select(Effect.code, Effect.reply).where(Effect.effect_key == key)
    with writing() as session:
        row = session.execute(query.where(Effect.job_id == (attempt and attempt.job_id))).first()
    return {"status": row.code, "body": row.reply} if row else {}


def _judge_unanswered(session: Session, attempt: Attempt) -> None:
    """What earlier attempts left without an answer: held for a person, or to be done again and counted."""
    older = Effect.job_id == attempt.job_id, Effect.marked_by < attempt.number
    if attempt.kind.on_unknown == "hold":
        left = Effect.state == EffectState.INFLIGHT
        values: dict[str, Any] = {"state": EffectState.UNKNOWN, "maybe": True}
    else:
        left = Effect.state.in_([EffectState.INFLIGHT, EffectState.UNKNOWN])
        values = {"state": EffectState.PENDING, "maybe": True, "resends": Effect.resends + 1, "settled_at": None}
    session.execute(update(Effect).where(*older, left).values(**values).execution_options(synchronize_session=False))
