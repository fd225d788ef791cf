"""Effects: intent, act, receipt. What is done is never repeated, and what nobody can know is said so.

A kind's function asks `outstanding(keys)` for what is left to do. For each it calls `mark()` right
before the irrevocable moment and `settle()` with the answer; `webapi.queue.acts` does either for many at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.models import Effect, EffectState
from webapi.models.transaction import writing
from webapi.queue.acts import Act
from webapi.queue.attempt import Attempt, current
from webapi.queue.receipts import plan


def outstanding(keys: Iterable[str]) -> list[Act]:
    """The acts among `keys` that are still to be done, in that order; those not yet planned are planned.

    Those that were put off or refused before come last: who never had a try must not wait behind them for ever.

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
            select(Effect.effect_key, Effect.id, Effect.released, Effect.code).where(
                Effect.job_id == attempt.job_id, Effect.state == EffectState.PENDING
            )
        ).all()
        left = {row.effect_key: Act(row.effect_key, row.id, attempt, released=row.released) for row in rows}
    tried = {row.effect_key for row in rows if row.code is not None}
    return [left[key] for key in sorted(keys, key=tried.__contains__) if key in left]


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
