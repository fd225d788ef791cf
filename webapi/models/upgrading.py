"""Bringing a database to the newest migration: by one process at a time, and again after one that was cut short."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from structlog import get_logger

from webapi.models.revisions import current, invalid_indexes

LOCK = 0x77656261_7069  # "webapi": an advisory lock of PostgreSQL's that nothing else of ours takes
LOOK = 0.2  # seconds between two tries to get it
PATIENCE = 600_000  # milliseconds for which a migration of SQLite waits for another writer
WITH_INDEXES = {"0013": ("jobs", "turn")}  # what a migration that builds indexes beside its transaction commits first

log = get_logger()


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """On PostgreSQL, wait until no other process migrates, and keep others waiting meanwhile.

    It asks again and again: a session that waited inside a statement would hold a snapshot, for which the other's
    CREATE INDEX CONCURRENTLY waits in its turn. SQLite needs none: a migration there is one transaction of its only
    writer.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
            time.sleep(LOOK)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


@contextmanager
def patient(connection: Connection) -> Iterator[None]:
    """On SQLite, let the transaction that follows wait for as long as another's migration may take."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    (before,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute(f"PRAGMA busy_timeout={PATIENCE}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout={before}")


def mend(engine: Engine, scripts: ScriptDirectory) -> None:
    """Put right what a migration left behind that was killed while it built indexes beside its transaction.

    Call it inside `alone`.
    """
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        revision = current(connection)
    for after, (table, column) in WITH_INDEXES.items():
        script = scripts.get_revision(after)
        if script is not None and script.down_revision == revision and _has(engine, table, column):
            log.warning("a migration was cut short; it begins again", migration=after)
            _take_back(engine, script.module.downgrade)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in invalid_indexes(connection):
            log.warning("an index was left invalid; it is built again", index=name)
            connection.execute(text(f'REINDEX INDEX CONCURRENTLY "{name}"'))


def _has(engine: Engine, table: str, column: str) -> bool:
    inspector = inspect(engine)
    return inspector.has_table(table) and column in {each["name"] for each in inspector.get_columns(table)}


def _take_back(engine: Engine, downgrade: object) -> None:
    """Run a migration's way back, as Alembic does; the revision on record is that of before already."""
    assert callable(downgrade)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            downgrade()
