"""Noting: what came of acts, written over their effects' rows, each fenced by its own mark."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Boolean, Integer, String, Table, and_, bindparam, case, null, or_, select, update
from sqlalchemy.exc import OperationalError

from webapi.models import Effect, EffectState, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue.ledger import JOBS

BUSY = (0.2, 1.0, 3.0)  # seconds between tries, when the database is busy for a moment

EFFECTS = cast(Table, Effect.__table__)
a_state = bindparam("a_state", type_=String)
NOTED = (
    update(EFFECTS)
    .where(EFFECTS.c.id == bindparam("an_effect"))
    .values(
        state=a_state,
        code=bindparam("a_code", type_=Integer),
        reply=bindparam("a_reply", type_=String),
        settled_at=case((a_state == EffectState.PENDING.value, null()), else_=now()),
    )
)
DECLINE = NOTED.where(EFFECTS.c.state == EffectState.PENDING.value)
SETTLE = NOTED.where(
    EFFECTS.c.marked_by == bindparam("an_attempt"),
    EFFECTS.c.try_no == bindparam("a_try"),
    or_(
        EFFECTS.c.state == EffectState.INFLIGHT.value,
        and_(a_state == EffectState.DONE.value, EFFECTS.c.state == EffectState.UNKNOWN.value),
    ),
).values(
    maybe=or_(EFFECTS.c.maybe, bindparam("unanswered", type_=Boolean)), message_id=bindparam("an_id", type_=String)
)

VERDICT = select(JOBS.c.state).where(JOBS.c.id == bindparam("a_job"))


def settled(rows: Sequence[dict[str, Any]], job_id: UUID) -> bool:
    """Write receipts down; whether others have judged their job uncertain meanwhile.

    A database that is busy for a moment is asked again: each receipt is fenced by its mark, and twice changes nothing.
    Raises sqlalchemy.exc.OperationalError when it is away for longer.
    """
    for wait in BUSY:
        try:
            return _settled(rows, job_id)
        except OperationalError:
            time.sleep(wait)
    return _settled(rows, job_id)


def _settled(rows: Sequence[dict[str, Any]], job_id: UUID) -> bool:
    with writing() as session:
        connection = session.connection()
        connection.execute(SETTLE, list(rows))
        return connection.scalar(VERDICT, {"a_job": job_id}) == State.UNCERTAIN
