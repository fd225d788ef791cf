"""Writing transactions, and what is to happen once one of them is durable."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from webapi.errors import ConfigError
from webapi.extensions import db
from webapi.models import resting

WRITES = {"webapi_writes": True}
BUSY_TIMEOUT = 5_000  # milliseconds that SQLite waits for another writer


@contextmanager
def writing() -> Iterator[Session]:
    """One durable writing transaction on the app's session.

    Inside another `writing()` it joins that one, so that a service's rows and the job it submits
    commit together. Whatever was given to `after_commit` runs when the outermost has committed.

    A read that is still open on the session is ended first: SQLite cannot turn a reader into a
    writer once another has written, and PostgreSQL would hold an old row lock for longer.
    """
    session: Session = db.session()
    if "after_commit" in session.info:
        yield session
        return
    if session.in_transaction():
        session.commit()
    callbacks: list[Callable[[], None]] = []
    session.info["after_commit"] = callbacks
    try:
        session.connection(execution_options=WRITES)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info["after_commit"]
    for callback in callbacks:
        callback()


def in_transaction() -> bool:
    """Whether a writing transaction is open around this call."""
    return "after_commit" in db.session().info


def after_commit(callback: Callable[[], None]) -> None:
    """Run `callback` when the writing transaction around this call is durable, and not if it fails."""
    db.session().info["after_commit"].append(callback)


def init_app(app: Flask) -> None:
    """Bind SQLAlchemy and make each of its connections durable."""
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            _make_durable(engine)


def _make_durable(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _open_postgresql)
        resting.watch(engine)


def _open_sqlite(connection: Any, record: Any) -> None:
    """WAL and FULL: a commit is on the disk when it returns, and readers do not wait for the writer."""
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: a deferred one may find at its first write that it read too early."""
    writes = connection.get_execution_options().get("webapi_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_postgresql(connection: Any, record: Any) -> None:
    """Refuse a server whose commits may be lost; a COMMIT that is not on disk must not become a 202."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        (level,) = cursor.fetchone()
    connection.rollback()
    if level == "off":
        raise ConfigError("PostgreSQL: set synchronous_commit to on; with off, an accepted job can be lost.")
