"""At which migration a database is, without Alembic: a server asks this for each probe, and migrates never."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from webapi.extensions import db

INVALID = text(
    "SELECT indexes.relname FROM pg_index JOIN pg_class AS indexes ON indexes.oid = pg_index.indexrelid "
    "WHERE NOT pg_index.indisvalid AND indexes.relnamespace = current_schema()::regnamespace ORDER BY indexes.relname"
)


def current(connection: Connection) -> str | None:
    """The newest migration that this database has; None for one that has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def newest(directory: str) -> str:
    """The newest migration of this program; files are called by what they are, as `0016_keys_by_job.py` is."""
    return max(path.name.partition("_")[0] for path in Path(directory, "versions").glob("[0-9]*_*.py"))


def is_ready(connection: Connection, directory: str) -> bool:
    """Whether `flask db upgrade` would find nothing to do."""
    return current(connection) == newest(directory) and not invalid_indexes(connection)


def invalid_indexes(connection: Connection) -> list[str]:
    """The indexes of ours that PostgreSQL keeps up to date and does not use, because their building was cut short."""
    if connection.dialect.name != "postgresql":
        return []
    ours = {index.name for table in db.metadata.tables.values() for index in table.indexes}
    return [name for name in connection.scalars(INVALID) if name in ours]
