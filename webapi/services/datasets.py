"""Datasets as tables that a statement can read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from webapi.errors import Permanent
from webapi.extensions import db
from webapi.models import Dataset
from webapi.services.queries.sources import Source


def sources(owner_id: UUID, pairs: Sequence[tuple[str, UUID]]) -> dict[str, Source]:
    """The rows of the owner's datasets by the names of their tables. Raises Permanent for one that cannot be read."""
    wanted = [dataset_id for _, dataset_id in pairs]
    mine = db.session.scalars(select(Dataset).where(Dataset.owner_id == owner_id, Dataset.id.in_(wanted)))
    rows, found = {row.id: row for row in mine}, {}
    for table, dataset_id in pairs:
        row = rows.get(dataset_id)
        if row is None or row.table_sha256 is None:
            raise Permanent(f"The dataset {table!r} is {'deleted' if row is None else 'not ready'}.")
        found[table] = Source(current_app.extensions["files"].path(row.table_sha256), "parquet")
    return found
