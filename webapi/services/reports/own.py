"""The owner's own jobs and receipts as tables that a statement can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import func, select

from webapi.extensions import db
from webapi.models import Effect, Job
from webapi.services.queries.sources import Options, Source

CHUNK = 100  # jobs in memory at a time with their receipts; a part of a mailing has some hundred

Table = tuple[dict[str, str], Callable[[UUID, int | None], Iterator[tuple[Any, ...]]]]


def export(owner_id: UUID, name: str, folder: Path, tick: Callable[[], None], newest: int | None = None) -> Source:
    """The table `name` (one of TABLES) as a file in `folder`, with `newest` of the so many newest jobs alone.

    `tick` is called for each chunk, and may raise.
    """
    columns, rows = TABLES[name]
    path = folder / f"{name}.ndjson"
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows(owner_id, newest)):
            if number % CHUNK == 0:
                tick()
            file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=_moment) + "\n")
    return Source(path, "ndjson", Options(encoding="utf-8", columns=tuple(columns.items())))


def _moment(value: datetime) -> str:
    return value.isoformat()


def _chunks(owner_id: UUID, newest: int | None, *wanted: Any) -> Iterator[Sequence[Any]]:
    """The owner's jobs by keyset and not by one long cursor: a progress report ends the read transaction."""
    query = select(Job.id, *wanted).where(Job.owner_id == owner_id).order_by(Job.id.desc())
    last: UUID | None = None
    left = float("inf") if newest is None else newest
    while left > 0:
        chunk = db.session.execute((query.where(Job.id < last) if last else query).limit(int(min(left, CHUNK)))).all()
        yield chunk
        if len(chunk) < CHUNK:
            return
        last, left = chunk[-1].id, left - CHUNK


def _jobs(owner_id: UUID, newest: int | None) -> Iterator[tuple[Any, ...]]:
    kinds = current_app.extensions["kinds"]
    hidden = {name for name, kind in kinds.items() if kind.hidden}
    moments = (Job.created_at, Job.started_at, Job.finished_at)
    for chunk in _chunks(owner_id, newest, Job.kind, Job.state, Job.attempt, Job.tags, *moments, Job.error_code):
        for row in chunk:
            if row.kind not in hidden:
                yield (
                    str(row.id), row.kind, str(row.state), row.attempt, ", ".join(row.tags or ()), row.created_at,
                    row.started_at, row.finished_at, _seconds(row.created_at, row.started_at),
                    _seconds(row.created_at, row.finished_at), row.error_code,
                )  # fmt: skip


def _receipts(owner_id: UUID, newest: int | None) -> Iterator[tuple[Any, ...]]:
    for chunk in _chunks(owner_id, newest, Job.kind):
        kinds = {row.id: row.kind for row in chunk}
        found = select(
            Effect.job_id, Effect.kind, Effect.effect_key, Effect.state, Effect.try_no, Effect.code, Effect.reply,
            Effect.message_id, func.coalesce(Effect.settled_at, Effect.marked_at), Effect.bounced_at, Effect.bounce,
        )  # fmt: skip
        for job_id, act, target, state, *rest in db.session.execute(found.where(Effect.job_id.in_(kinds))).all():
            yield str(job_id), kinds[job_id], act, target, str(state), *rest


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else round((until - since).total_seconds(), 3)


TEXT, WHOLE, MOMENT, NUMBER = "VARCHAR", "BIGINT", "TIMESTAMP WITH TIME ZONE", "DOUBLE"
TABLES: dict[str, Table] = {
    "jobs": (
        {
            "id": TEXT, "kind": TEXT, "state": TEXT, "attempts": WHOLE, "tags": TEXT, "created_at": MOMENT,
            "started_at": MOMENT, "finished_at": MOMENT, "wait": NUMBER, "seconds": NUMBER, "error": TEXT,
        },
        _jobs,
    ),
    "receipts": (
        {
            "job_id": TEXT, "kind": TEXT, "act": TEXT, "target": TEXT, "state": TEXT, "tries": WHOLE, "code": WHOLE,
            "reply": TEXT, "message_id": TEXT, "settled_at": MOMENT, "bounced_at": MOMENT, "bounce": TEXT,
        },
        _receipts,
    ),
}  # fmt: skip
