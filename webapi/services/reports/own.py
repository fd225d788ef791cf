"""The owner's own jobs and receipts as tables that a statement can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import func, select

from webapi.extensions import db
from webapi.models import Effect, Job
from webapi.services import formats
from webapi.services.formats import Column, Heading, Row, Type
from webapi.services.queries.sources import Source

CHUNK = 100  # jobs in memory at a time with their receipts; a part of a mailing has some hundred

Table = tuple[dict[str, Type], Callable[[UUID], Iterator[Row]]]


def export(owner_id: UUID, name: str, folder: Path, tick: Callable[[], None]) -> Source:
    """The table `name` (one of TABLES) as a file in `folder`. `tick` is called for each chunk, and may raise."""
    columns, rows = TABLES[name]
    path = folder / f"{name}.parquet"
    heading = Heading(name, {}, datetime.now(UTC))
    shape = [Column(column, kind) for column, kind in columns.items()]
    formats.write(path, "parquet", heading, shape, _ticking(rows(owner_id), tick))
    return Source(path, "parquet")


def _ticking(rows: Iterator[Row], tick: Callable[[], None]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % CHUNK == 0:
            tick()
        yield row


def _chunks(owner_id: UUID, *wanted: Any) -> Iterator[Sequence[Any]]:
    """The owner's jobs by keyset and not by one long cursor: a progress report ends the read transaction."""
    query = select(Job.id, *wanted).where(Job.owner_id == owner_id).order_by(Job.id).limit(CHUNK)
    last: UUID | None = None
    while True:
        chunk = db.session.execute(query.where(Job.id > last) if last else query).all()
        yield chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].id


def _jobs(owner_id: UUID) -> Iterator[Row]:
    kinds = current_app.extensions["kinds"]
    hidden = {name for name, kind in kinds.items() if kind.hidden}
    moments = (Job.created_at, Job.started_at, Job.finished_at)
    for chunk in _chunks(owner_id, Job.kind, Job.state, Job.attempt, Job.tags, *moments, Job.error_code):
        for row in chunk:
            if row.kind not in hidden:
                yield (
                    str(row.id), row.kind, str(row.state), row.attempt, ", ".join(row.tags or ()), row.created_at,
                    row.started_at, row.finished_at, _seconds(row.created_at, row.started_at),
                    _seconds(row.created_at, row.finished_at), row.error_code,
                )  # fmt: skip


def _receipts(owner_id: UUID) -> Iterator[Row]:
    for chunk in _chunks(owner_id, Job.kind):
        kinds = {row.id: row.kind for row in chunk}
        found = select(
            Effect.job_id, Effect.kind, Effect.effect_key, Effect.state, Effect.try_no, Effect.code, Effect.reply,
            Effect.message_id, func.coalesce(Effect.settled_at, Effect.marked_at), Effect.bounced_at, Effect.bounce,
        )  # fmt: skip
        for job_id, act, target, state, *rest in db.session.execute(found.where(Effect.job_id.in_(kinds))).all():
            yield str(job_id), kinds[job_id], act, target, str(state), *rest


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else round((until - since).total_seconds(), 3)


TABLES: dict[str, Table] = {
    "jobs": (
        {
            "id": "text", "kind": "text", "state": "text", "attempts": "integer", "tags": "text",
            "created_at": "datetime", "started_at": "datetime", "finished_at": "datetime", "wait": "number",
            "seconds": "number", "error": "text",
        },
        _jobs,
    ),
    "receipts": (
        {
            "job_id": "text", "kind": "text", "act": "text", "target": "text", "state": "text", "tries": "integer",
            "code": "integer", "reply": "text", "message_id": "text", "settled_at": "datetime", "bounced_at": "datetime",
            "bounce": "text",
        },
        _receipts,
    ),
}  # fmt: skip
