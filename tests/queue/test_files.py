"""Bytes under their hash: the whole of them or nothing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

from tests.conftest import BASE
from webapi import create_app
from webapi.queue.files import CHUNK, FileStore


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app({**BASE, "DATABASE_URL": "sqlite://"})


@pytest.fixture
def store(app: Flask, tmp_path: Path) -> Iterator[FileStore]:
    with app.app_context():
        yield FileStore(str(tmp_path / "files"))


def files(store: FileStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\0" * (CHUNK + 1)], ids=["nothing", "little", "more than a chunk"]
)
def test_bytes_are_kept_under_their_hash(store: FileStore, content: bytes) -> None:
    stored = store.put(io.BytesIO(content))
    assert (stored.sha256, stored.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert store.path(stored.sha256).read_bytes() == content
    assert files(store) == [f"objects/{stored.sha256[:2]}/{stored.sha256}"]


def test_the_same_bytes_are_kept_once(store: FileStore) -> None:
    first, second = (store.put(io.BytesIO(b"same")) for _ in range(2))
    assert first == second
    assert len(files(store)) == 1


def test_a_finished_file_is_moved_not_copied(store: FileStore) -> None:
    path = store.staging(uuid4(), 1) / "report.csv"
    path.write_bytes(b"a,b\n")
    stored = store.keep(path)
    assert not path.exists()
    assert store.path(stored.sha256).read_bytes() == b"a,b\n"


def test_a_file_has_a_name_in_a_folder_until_that_is_gone(store: FileStore, tmp_path: Path) -> None:
    stored = store.put(io.BytesIO(b"read for long"))
    first, second = (store.local(stored.sha256, tmp_path) for _ in range(2))
    assert first == second != store.path(stored.sha256)
    store.path(stored.sha256).unlink()
    assert first.read_bytes() == b"read for long"
    nowhere = tmp_path / "nowhere"
    assert store.local(stored.sha256, nowhere) == store.path(stored.sha256)


def test_each_attempt_writes_in_a_folder_of_its_own(store: FileStore) -> None:
    job_id = uuid4()
    first, second = store.staging(job_id, 1), store.staging(job_id, 2)
    (first / "x").write_text("1")
    store.clear_staging(job_id, 2)
    assert (first.exists(), second.exists()) == (True, False)


def test_clearing_what_is_not_there_is_no_error(store: FileStore) -> None:
    store.clear_staging(uuid4(), 1)
    assert files(store) == []


def test_only_its_owner_can_read_a_file(store: FileStore) -> None:
    stored = store.put(io.BytesIO(b"private"))
    assert store.path(stored.sha256).stat().st_mode & 0o077 == 0


class Broken(io.BytesIO):
    """A stream that ends in the middle, as when a client goes away."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def test_a_stream_that_breaks_keeps_nothing(store: FileStore) -> None:
    with pytest.raises(ConnectionResetError):
        store.put(Broken())
    assert not list(store.root.glob("objects/*/*"))


def test_a_stream_that_breaks_leaves_nothing_behind(store: FileStore) -> None:
    with pytest.raises(ConnectionResetError):
        store.put(Broken())
    assert files(store) == []
