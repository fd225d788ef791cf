"""The jobs that have waited longest: for a worker, or for a relay to queue them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, literal_column, select

from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import Moment
from webapi.models.job import ANY_PRIORITY
from webapi.services.system.backlog import Waiting


@dataclass(frozen=True)
class Due:
    """A job that has been due for longer than all others."""

    id: UUID
    kind: str
    owner_id: UUID
    state: str
    since: datetime


def oldest(found: list[Waiting]) -> Due | None:
    """The job that has waited longest for a worker, of the kinds that nobody paused."""
    waiting = [each for each in found if each.oldest is not None and each.paused_at is None]
    if not waiting:
        return None
    first = min(waiting, key=lambda each: each.oldest)  # type: ignore[arg-type,return-value]
    return _one(
        ANY_PRIORITY,
        Job.kind == first.name,
        Job.run_at == literal(first.oldest, Moment),
    )


def not_woken(clock: datetime) -> Due | None:
    """The first job whose time has come and that no relay has queued yet; there should be none for long."""
    waiting = Job.state.in_([literal_column("'scheduled'"), literal_column("'retrying'")])
    return _one(waiting, Job.run_at <= literal(clock, Moment))


def _one(*conditions: Any) -> Due | None:
    found = select(Job.id, Job.kind, Job.owner_id, Job.state, Job.run_at).where(*conditions)
    row = db.session.execute(found.order_by(Job.run_at).limit(1)).first()
    return Due(*row) if row else None
