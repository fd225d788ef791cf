"""The store on a disk: where its files lie, and who may read them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import BASE
from webapi import create_app
from webapi.queue.disk import DiskStore


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app({**BASE, "DATABASE_URL": "sqlite://"})


@pytest.fixture
def store(app: Flask, tmp_path: Path) -> Iterator[DiskStore]:
    with app.app_context():
        yield DiskStore(str(tmp_path / "files"))


def files(store: DiskStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_the_same_bytes_lie_there_once(store: DiskStore) -> None:
    sha256, again = (store.put(io.BytesIO(b"same")).sha256 for _ in range(2))
    assert sha256 == again
    assert files(store) == [f"objects/{sha256[:2]}/{sha256}"]


def test_only_its_owner_can_read_a_file(store: DiskStore) -> None:
    stored = store.put(io.BytesIO(b"private"))
    assert store.path(stored.sha256).stat().st_mode & 0o077 == 0


def test_a_file_has_a_name_in_a_folder_until_that_is_gone(store: DiskStore, tmp_path: Path) -> None:
    stored = store.put(io.BytesIO(b"read for long"))
    first, second = (store.local(stored.sha256, tmp_path) for _ in range(2))
    assert first == second != store.path(stored.sha256)
    store.path(stored.sha256).unlink()
    assert first.read_bytes() == b"read for long"
    nowhere = tmp_path / "nowhere"
    assert store.local(stored.sha256, nowhere) == store.path(stored.sha256)


def test_its_files_are_handed_out_by_us(store: DiskStore) -> None:
    assert store.link(store.put(io.BytesIO(b"a,b")).sha256, "text/csv", "attachment") is None
