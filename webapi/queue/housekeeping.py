"""Removing what nothing refers to any more (R5 of the protocol): orphan files, old staging, expired keys, the dead.

A little at each turn: one of the 256 parts of the store, so that a store of millions of files is walked in some hours.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Collection

from flask import Flask
from sqlalchemy import Column, delete, select
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.errors import WebapiError
from webapi.extensions import db
from webapi.models import IdempotencyKey, Job, State, Worker
from webapi.models.columns import after, now, read_once
from webapi.models.transaction import writing
from webapi.queue.children import FORK_LOCK
from webapi.queue.files import SHARDS, Store

TURN = 60.0  # seconds between two turns
OLD = 86400.0  # seconds; a younger file may belong to a row that is still to be committed
BATCH = 500

log = get_logger()


class Housekeeper:
    """One in each relay; any number may work at once."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._shard = random.randrange(SHARDS)  # noqa: S311 # nosec B311 - spreads relays, guards nothing
        self._next = time.monotonic() + TURN
        self._walk: threading.Thread | None = None

    def tidy(self) -> None:
        """A turn, if it is time for one."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + TURN
        self._shard = (self._shard + 1) % SHARDS
        forget_keys()
        forget_workers()
        store: Store = self._app.extensions["files"]
        remove_staging(store)
        if not store.remote:
            remove_orphans(store, self._shard)
        elif self._walk is None or not self._walk.is_alive():
            self._walk = threading.Thread(target=self._beside, args=(store, self._shard), name="orphans", daemon=True)
            self._walk.start()

    def _beside(self, store: Store, shard: int) -> None:
        """In a thread of its own: the relay, which holds up all jobs, must not wait for a store that is away."""
        with self._app.app_context():
            try:
                remove_orphans(store, shard, OLD)
            except (SQLAlchemyError, OSError, WebapiError) as error:
                log.warning("orphan files not looked for", error=type(error).__name__)


def forget_keys() -> int:
    """Delete idempotency keys whose time is over. Returns how many."""
    expired = select(IdempotencyKey.owner_id, IdempotencyKey.route, IdempotencyKey.key)
    db.session.rollback()
    old = IdempotencyKey.expires_at < read_once(now())
    rows = db.session.execute(expired.where(old).order_by(IdempotencyKey.expires_at).limit(BATCH)).all()
    for owner_id, route, key in rows:
        named = (IdempotencyKey.owner_id == owner_id, IdempotencyKey.route == route, IdempotencyKey.key == key)
        with writing() as session:
            session.execute(delete(IdempotencyKey).where(*named, IdempotencyKey.expires_at < now()))
    return len(rows)


def forget_workers() -> int:
    """Delete the rows of workers that were killed and could not sign off. Returns how many."""
    with writing() as session:
        gone = session.execute(delete(Worker).where(Worker.seen_at < after(-OLD)))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def remove_orphans(store: Store, shard: int, age: float = OLD) -> int:
    """Delete the files of one part of the store that no row names and that are older than `age` seconds; how many."""
    removed = store.collect(shard, age, _named)
    if removed:
        log.info("orphan files removed", files=removed)
    return removed


def remove_staging(store: Store) -> int:
    """Delete what dead attempts left behind. Returns how many folders."""
    removed = 0
    for job_id, attempt in store.old_staging(OLD):
        db.session.rollback()
        running = select(Job.id).where(Job.id == job_id, Job.attempt == attempt, Job.state == State.RUNNING)
        if db.session.scalar(running) is None:
            store.clear_staging(job_id, attempt)
            removed += 1
    return removed + store.clear_incoming(OLD)


def _named(hashes: Collection[str]) -> set[str]:
    """No connection is held while the store is busy, and no process begins while one is used."""
    with FORK_LOCK:
        db.session.rollback()
        found = [db.session.scalars(select(column).where(column.in_(hashes))).all() for column in file_columns()]
        db.session.rollback()
    return {sha256 for rows in found for sha256 in rows}


def file_columns() -> list[Column[str]]:
    """Every column that may name a file, by its own name, so that a new table cannot be forgotten."""
    return [column for table in db.metadata.sorted_tables for column in table.columns if column.name.endswith("sha256")]
