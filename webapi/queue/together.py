"""Finishing in sets: attempts that ended well, of which nothing else is to be said, in one fenced transaction (C2).

Each row has its own fence. A row that is left out goes the way of a single one (`webapi.queue.finish`), which says
why: it is another's by now, or has effects, or somebody holds it just now. So no set waits for a job's row while it
holds others, and two that take the same jobs in different order do not wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import JSON, cast, exists, update
from sqlalchemy.orm import Session

from webapi.models import Effect, State
from webapi.models.columns import now
from webapi.models.lists import given
from webapi.queue import attempt_logs
from webapi.queue.attempt import Attempt
from webapi.queue.followup import announce_end
from webapi.queue.ledger import JOBS, MOVED, RUNNING, Moved, count_open, record

RETURNED = [JOBS.c[column.key] for column in MOVED]


class Ended(NamedTuple):
    """An attempt whose function has returned, and what it returned."""

    attempt: Attempt
    result: Any


def is_plain(attempt: Attempt) -> bool:
    """Whether its success is a matter of its own row: no files, nothing that follows, no effects that are declared."""
    kind = attempt.kind
    return not attempt.files and kind.effects is None and kind.on_success is None


def succeed(session: Session, ended: Sequence[Ended]) -> set[UUID]:
    """Write down that plain attempts succeeded. Returns those of which it is written."""
    given_rows = {
        "ids": [each.attempt.job_id for each in ended],
        "attempts": [each.attempt.number for each in ended],
        "documents": [json.dumps(each.result) for each in ended],
    }
    connection = session.connection()
    rows = connection.execute(_statement(connection.dialect.name), given_rows)
    moved = [Moved(**row._mapping) for row in rows]
    ids = {job.id for job in moved}
    if moved:
        record(session, sorted(ids), State.RUNNING, State.SUCCEEDED, "worker", "done")
        count_open(session, moved, State.RUNNING, State.SUCCEEDED)
        for each in ended:
            if each.attempt.job_id in ids:
                attempt_logs.save(session, each.attempt)
        announce_end(session, moved, State.SUCCEEDED)
    return ids


@cache
def _statement(dialect: str) -> Any:
    rows = given(dialect)
    document = rows.c.document if dialect == "sqlite" else cast(rows.c.document, JSON)
    # Effects that nobody declared, or that an older program did, have the last word.
    fence = (JOBS.c.id == rows.c.id, JOBS.c.attempt == rows.c.attempt, JOBS.c.state == RUNNING)
    mine = JOBS.join(rows, fence[0]).select().with_only_columns(JOBS.c.id, document.label("document"))
    mine = mine.where(*fence[1:], ~exists().where(Effect.job_id == JOBS.c.id))
    locked = mine.with_for_update(of=JOBS, skip_locked=True, key_share=True).cte("mine")
    chosen = locked.prefix_with("MATERIALIZED", dialect="postgresql")
    over = {"lease_owner": None, "lease_until": None, "finished_at": now()}
    full = {"progress": 100, "progress_note": None, "error_code": None, "error_public": None}
    done = update(JOBS).where(JOBS.c.id == chosen.c.id)
    return done.values(state=State.SUCCEEDED, result=chosen.c.document, **over, **full).returning(*RETURNED)
