"""What nothing refers to any more goes; what is named, or may be named yet, stays."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from uuid_utils.compat import uuid7

from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept, change
from webapi.extensions import db
from webapi.models import IdempotencyKey, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, housekeeping
from webapi.queue.claim import claim
from webapi.queue.disk import DiskStore
from webapi.queue.extension import kind_named
from webapi.queue.housekeeping import (
    OLD,
    Housekeeper,
    forget_keys,
    forget_workers,
    remove_orphans,
    remove_staging,
)
from webapi.services import storage

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture
def store(ground: Flask) -> DiskStore:
    found: DiskStore = ground.extensions["files"]
    return found


def age(path: Path) -> None:
    old = time.time() - OLD - 60
    os.utime(path, (old, old))


def orphan(store: DiskStore, content: bytes) -> str:
    """A file that was kept long ago and that no row names."""
    sha256 = store.put(io.BytesIO(content)).sha256
    age(store.path(sha256))
    return sha256


def sweep(store: DiskStore, sha256: str) -> int:
    return remove_orphans(store, int(sha256[:2], 16))


def test_an_old_file_that_no_row_names_is_removed(store: DiskStore) -> None:
    sha256 = orphan(store, b"nobody's")
    assert (sweep(store, sha256), store.path(sha256).exists()) == (1, False)


def test_a_young_file_and_one_that_is_named_stay(store: DiskStore) -> None:
    young = store.put(io.BytesIO(b"young")).sha256
    named = storage.receive(OWNER, "named.txt", "text/plain", io.BytesIO(b"named")).sha256
    age(store.path(named))
    assert [sweep(store, sha256) for sha256 in (young, named)] == [0, 0]
    assert store.path(young).exists()
    assert store.path(named).read_bytes() == b"named"


def test_every_column_that_names_a_file_is_asked() -> None:
    named = {f"{column.table.name}.{column.name}" for column in housekeeping.file_columns()}
    assert named >= {"artifacts.sha256", "uploads.sha256", "mailings.recipients_sha256"}
    assert not {name for name in named if "secret" in name or "hash" in name.replace("sha256", "")}


def test_a_file_that_is_kept_again_at_that_moment_stays(store: DiskStore) -> None:
    """Somebody keeps the same bytes after the housekeeper looked, and before it removes."""
    sha256 = orphan(store, b"kept again")
    store.put(io.BytesIO(b"kept again"))
    assert store.discard(sha256, OLD, lambda _: set()) is False
    assert store.path(sha256).read_bytes() == b"kept again"


def test_a_file_that_is_named_at_that_moment_stays(store: DiskStore) -> None:
    sha256 = orphan(store, b"named late")
    assert store.discard(sha256, OLD, set) is False
    assert store.path(sha256).read_bytes() == b"named late"


def test_what_a_dead_housekeeper_had_set_aside_comes_back_if_it_is_named(store: DiskStore) -> None:
    upload = storage.receive(OWNER, "a.txt", "text/plain", io.BytesIO(b"set aside"))
    aside = store.root / "trash" / upload.sha256
    aside.parent.mkdir(exist_ok=True)
    age(store.path(upload.sha256))
    store.path(upload.sha256).rename(aside)
    sweep(store, "00")
    assert store.path(upload.sha256).read_bytes() == b"set aside"
    assert store.set_aside() == []


def test_old_staging_goes_unless_its_attempt_is_running(store: DiskStore) -> None:
    running = accept("errand.hold", Errands(acts=[]))
    claim(kind_named("errand.hold"))
    folders = [store.staging(running, 1), store.staging(UUID(int=7), 1), store.staging(UUID(int=7), 2)]
    for folder in folders[:2]:
        age(folder)
    stale = store.root / "incoming" / "cut-short"
    stale.parent.mkdir(exist_ok=True)
    stale.touch()
    age(stale)
    assert remove_staging(store) == 2
    assert [folder.exists() for folder in folders] == [True, False, True]


def test_expired_keys_are_forgotten_and_the_others_kept(ground: Flask) -> None:
    for key in ("expired", "kept"):
        accept("errand.hold", Errands(acts=[]), once=Once("test", key, "f"))
    with writing() as session:
        session.execute(update(IdempotencyKey).where(IdempotencyKey.key == "expired").values(expires_at=after(-1)))
    assert forget_keys() == 1
    assert db.session.scalars(select(IdempotencyKey.key)).all() == ["kept"]


def test_a_housekeeper_waits_for_its_turn(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands(acts=[]), once=Once("test", "expired", "f"))
    change(job_id, priority=1)
    with writing() as session:
        session.execute(update(IdempotencyKey).values(expires_at=after(-1)))
    Housekeeper(ground).tidy()
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


def test_a_worker_that_was_killed_is_forgotten_a_day_later() -> None:
    ids = [uuid7(), uuid7()]
    row = {"host": "there", "pid": 1, "slots": 1, "queues": ["default"], "version": "1"}
    with writing() as session:
        for each, age_of_it in zip(ids, (OLD + 60, OLD - 60), strict=True):
            session.execute(insert(Worker).values(id=each, seen_at=after(-age_of_it), **row))
    assert (forget_workers(), forget_workers()) == (1, 0)
    assert list(db.session.scalars(select(Worker.id))) == ids[1:]
