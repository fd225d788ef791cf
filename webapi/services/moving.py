"""Copying the files that rows name to another store, so that the system can move there."""

from __future__ import annotations

from sqlalchemy import select

from webapi.extensions import db
from webapi.queue.files import Store, check
from webapi.queue.housekeeping import file_columns


def named() -> list[str]:
    """The hashes of all files that a row names."""
    found = {sha256 for column in file_columns() for sha256 in db.session.scalars(select(column).distinct())}
    db.session.rollback()
    return sorted(found - {None})


def copy(sha256: str, source: Store, target: Store) -> int | None:
    """Keep one file there too. Returns its size, or None when it was there.

    Raises FileNotFoundError when it is in neither, and Damaged when its bytes are others than were kept.
    """
    try:
        target.open(sha256).close()
    except FileNotFoundError:
        with source.open(sha256) as file:
            stored = target.put(file)
        check(sha256, stored.sha256)
        return stored.size
    return None
