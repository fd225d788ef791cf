"""The files of a finished attempt: first durable, then named by the ledger (C1 of the protocol)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.models import Artifact
from webapi.queue import room
from webapi.queue.attempt import Attempt
from webapi.queue.files import store


def keep(attempt: Attempt) -> list[dict[str, Any]]:
    """C1: every file is durable in the store before the row that names it."""
    if not attempt.files:
        return []
    attempt.still_mine()
    kept = store()
    folder = kept.staging(attempt.job_id, attempt.number)
    rows = []
    for name, media_type in attempt.files.items():
        stored = kept.keep(folder / name)
        rows.append(
            {
                "id": uuid7(),
                "job_id": attempt.job_id,
                "attempt": attempt.number,
                "name": name,
                "sha256": stored.sha256,
                "size": stored.size,
                "media_type": media_type,
            }
        )
    return rows


def name(session: Session, attempt: Attempt, rows: list[dict[str, Any]]) -> None:
    """The rows, instead of those of an earlier success, and their bytes on the owner's account."""
    if rows:
        earlier = delete(Artifact).where(Artifact.job_id == attempt.job_id).returning(Artifact.size)
        freed = sum(session.scalars(earlier.execution_options(synchronize_session=False)))
        session.execute(insert(Artifact), rows)
        room.charge(session, attempt.owner_id, sum(row["size"] for row in rows) - freed)
