"""Secrets that are kept, sealed anew under the first SECRET_KEY, so that the keys of before can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapi.extensions import db
from webapi.models import Job, Schedule
from webapi.models.transaction import writing
from webapi.queue import seals
from webapi.queue.job import Kind

LOOKED_AT = 500  # rows in one transaction


@dataclass
class Resealed:
    """How many rows were sealed anew, and those that no key of ours opens."""

    jobs: int = 0
    schedules: int = 0
    unopenable: int = 0


def reseal() -> Resealed:
    """Seal every secret of a job and of a schedule under the first key. It may be run again, and beside anything."""
    done = Resealed()
    for kind in current_app.extensions["kinds"].values():
        if seals.secret_fields(kind.payload):
            done.jobs += _all(kind, Job, done)
            done.schedules += _all(kind, Schedule, done)
    return done


def _all(kind: Kind, table: type[Job] | type[Schedule], done: Resealed) -> int:
    count, reached = 0, UUID(int=0)
    query = select(table.id).where(table.kind == kind.name).order_by(table.id).limit(LOOKED_AT)
    while ids := db.session.scalars(query.where(table.id > reached)).all():
        with writing() as session:
            count += _some(session, kind, table, ids, done)
        reached = ids[-1]
    return count


def _some(session: Session, kind: Kind, table: Any, ids: Sequence[UUID], done: Resealed) -> int:
    """The rows are locked, as by whoever edits a schedule meanwhile."""
    query = select(table.id, table.owner_id, table.payload, table.payload_version).where(table.id.in_(ids))
    count = 0
    for row in session.execute(query.order_by(table.id).with_for_update()).all():
        if row.payload_version > kind.version:
            continue
        try:
            payload = seals.resealed(kind.payload, row.payload, row.owner_id)
        except seals.Unopenable:
            done.unopenable += 1
            continue
        if payload != row.payload:
            mine = update(table).where(table.id == row.id).values(payload=payload)
            session.execute(mine.execution_options(synchronize_session=False))
            count += 1
    return count
