"""Lists of jobs: filters, pages by keyset, counts."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Select, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from webapi.errors import Malformed
from webapi.extensions import db
from webapi.models import Job, State, User

CURSOR = "^[A-Za-z0-9_-]{22}$"  # the 16 bytes of an id


@dataclass(frozen=True)
class Wanted:
    """A filter over jobs."""

    kinds: Sequence[str] = ()
    states: Sequence[State] = ()
    tags: Sequence[str] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first, and the cursor of the next page where there is one."""

    jobs: list[Job]
    next_cursor: str | None


def page(owner: User, wanted: Wanted, *, cursor: str | None = None, limit: int = 50) -> Page:
    """One page of the owner's jobs, by keyset: as fast on the last page as on the first."""
    query = matching(owner, wanted)
    if cursor is not None:
        query = query.where(Job.id < _read_cursor(cursor))
    rows = list(db.session.scalars(query.order_by(Job.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return Page(rows[:limit], _cursor(rows[limit - 1].id) if more else None)


def matching(owner: User, wanted: Wanted) -> Select[Job]:
    """The query of the owner's jobs that a filter finds."""
    query = select(Job).where(Job.owner_id == owner.id)
    if owner.only_kind is not None:
        query = query.where(Job.kind == owner.only_kind)
    hidden = [kind.name for kind in current_app.extensions["kinds"].values() if kind.hidden]
    query = query.where(Job.kind.in_(wanted.kinds) if wanted.kinds else Job.kind.not_in(hidden))
    if wanted.states:
        query = query.where(Job.state.in_(wanted.states))
    for tag in wanted.tags:
        query = query.where(_has_tag(tag))
    if wanted.created_after:
        query = query.where(Job.created_at > wanted.created_after)
    if wanted.created_before:
        query = query.where(Job.created_at < wanted.created_before)
    return query


def _has_tag(tag: str) -> Any:
    if db.engine.dialect.name == "postgresql":
        return type_coerce(Job.tags, JSONB).contains([tag])
    each = func.json_each(Job.tags).table_valued("value")
    return select(1).select_from(each).where(each.c.value == tag).exists()


def _cursor(job_id: UUID) -> str:
    return base64.urlsafe_b64encode(job_id.bytes).decode().rstrip("=")


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except ValueError:
        raise Malformed("cursor: take it from the previous page as it is.") from None


def counts(owner: User) -> dict[State, int]:
    """How many of the owner's jobs are in each state."""
    rows = db.session.execute(select(Job.state, func.count()).where(Job.owner_id == owner.id).group_by(Job.state))
    return {State(state): count for state, count in rows}
