"""What every store does, on a disk and in a bucket: the whole of some bytes, or nothing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.conftest import BASE
from tests.s3_server import Pail
from webapi import create_app
from webapi.queue.disk import DiskStore
from webapi.queue.files import CHUNK, Damaged, Store, TooLong

YOUNG = -60.0  # an age that everything has


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app({**BASE, "DATABASE_URL": "sqlite://"})


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, app: Flask, tmp_path: Path) -> Iterator[Store]:
    with app.app_context():
        if request.param == "disk":
            yield DiskStore(str(tmp_path / "files"))
        else:
            pail: Pail = request.getfixturevalue("pail")
            yield pail.store(tmp_path / "files")


def under_way(store: Store) -> list[Path]:
    return [path for name in ("incoming", "staging") for path in (store.root / name).rglob("*") if path.is_file()]


def kept(store: Store, content: bytes) -> str:
    return store.put(io.BytesIO(content)).sha256


def collect(store: Store, sha256: str, *, age: float = YOUNG, named: Collection[str] = ()) -> int:
    return store.collect(int(sha256[:2], 16), age, lambda hashes: set(hashes) & set(named))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\0" * (CHUNK + 1)], ids=["nothing", "little", "more than a chunk"]
)
def test_bytes_are_kept_under_their_hash(store: Store, content: bytes) -> None:
    stored = store.put(io.BytesIO(content))
    assert (stored.sha256, stored.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert store.read(stored.sha256) == content
    assert under_way(store) == []


def test_a_file_is_read_from_any_position(store: Store) -> None:
    with store.open(kept(store, b"first\nsecond\nthird\n")) as file:
        file.seek(6)
        assert (file.readline(), file.tell()) == (b"second\n", 13)
        file.seek(-6, io.SEEK_END)
        assert file.read() == b"third\n"
        assert (file.seek(0), file.read(5), file.read(0)) == (0, b"first", b"")


def test_a_finished_file_of_an_attempt_is_moved_into_the_store(store: Store) -> None:
    path = store.staging(uuid4(), 1) / "report.csv"
    path.write_bytes(b"a,b\n")
    stored = store.keep(path)
    assert not path.exists()
    assert store.read(stored.sha256) == b"a,b\n"


def test_a_program_gets_a_file_of_this_machine(store: Store, tmp_path: Path) -> None:
    sha256 = kept(store, b"for a program")
    paths = {store.local(sha256, tmp_path) for _ in range(2)}
    assert [path.read_bytes() for path in paths] == [b"for a program"]


def test_a_copy_can_be_kept_as_if_it_had_been_written(store: Store) -> None:
    sha256 = kept(store, b"of another job")
    path = store.staging(uuid4(), 1) / "copy.csv"
    store.copy(sha256, path)
    assert store.keep(path).sha256 == sha256
    assert store.read(sha256) == b"of another job"


def test_what_is_not_there_is_said_at_once(store: Store, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"never kept").hexdigest()
    for look in (store.open, store.read, lambda each: store.local(each, tmp_path).read_bytes()):
        with pytest.raises(FileNotFoundError):
            look(sha256)
    with pytest.raises(FileNotFoundError):
        store.copy(sha256, tmp_path / "copy")
    assert not list(tmp_path.glob("*")) or list(tmp_path.glob("*")) == [tmp_path / "files"]


class Broken(io.BytesIO):
    """A stream that ends in the middle, as when a client goes away."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def test_a_stream_that_breaks_keeps_nothing_and_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ConnectionResetError):
        store.put(Broken())
    assert under_way(store) == []
    assert collect(store, "00") == 0


def test_a_stream_that_is_longer_than_it_may_be_is_cut_off(store: Store) -> None:
    with pytest.raises(TooLong) as caught:
        store.put(io.BytesIO(b"x" * 11), 10)
    assert caught.value.size == 11
    assert under_way(store) == []
    with pytest.raises(FileNotFoundError):
        store.open(hashlib.sha256(b"x" * 11).hexdigest())
    assert store.put(io.BytesIO(b"x" * 10), 10).size == 10


def test_what_nobody_names_is_collected_once_it_is_old(store: Store) -> None:
    sha256 = kept(store, b"nobody's")
    assert (collect(store, sha256, age=3600), store.read(sha256)) == (0, b"nobody's")
    assert (collect(store, sha256), collect(store, sha256)) == (1, 0)
    with pytest.raises(FileNotFoundError):
        store.open(sha256)


def test_what_is_named_stays_and_so_does_what_is_in_other_parts(store: Store) -> None:
    named, other = kept(store, b"named"), kept(store, b"other")
    assert named[:2] != other[:2]
    assert collect(store, named, named=[named]) == 0
    assert (store.read(named), store.read(other)) == (b"named", b"other")


def test_the_same_bytes_kept_twice_are_there_as_long_as_they_are_named(store: Store) -> None:
    sha256, again = kept(store, b"the same"), kept(store, b"the same")
    assert sha256 == again
    assert store.read(sha256) == b"the same"
    collect(store, sha256, named=[sha256])
    assert store.read(sha256) == b"the same"
    assert collect(store, sha256) == 1


def test_it_can_be_tried_whether_files_can_be_kept(store: Store) -> None:
    store.check()
    assert under_way(store) == []


def test_each_attempt_writes_in_a_folder_of_its_own(store: Store) -> None:
    job_id = uuid4()
    first, second = store.staging(job_id, 1), store.staging(job_id, 2)
    (first / "x").write_text("1")
    store.clear_staging(job_id, 2)
    store.clear_staging(UUID(int=7), 1)
    assert (first.exists(), second.exists()) == (True, False)


def test_scratch_is_gone_afterwards_and_what_was_left_is_cleared(store: Store) -> None:
    with store.scratch() as folder:
        (folder / "x").write_text("1")
    assert not folder.exists()
    (store.incoming() / "left").mkdir()
    (store.incoming() / "left" / "x").write_text("1")
    (store.incoming() / "cut-short").touch()
    assert (store.clear_incoming(3600), store.clear_incoming(YOUNG)) == (0, 2)
    assert list(store.incoming().iterdir()) == []


def test_bytes_that_are_others_are_not_taken_for_the_file(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        disk = DiskStore(str(tmp_path))
        sha256 = kept(disk, b"as it was")
        disk.path(sha256).write_bytes(b"as it is ")
        with pytest.raises(Damaged):
            disk.read(sha256)
