"""The store in a bucket: its keys, its copies, and its links."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import urllib3

from tests.s3_server import Pail
from webapi.queue.files import Damaged, Named
from webapi.queue.s3 import store as module
from webapi.queue.s3.store import S3Store

YOUNG = -60.0  # an age that everything has


@pytest.fixture
def store(pail: Pail, tmp_path: Path) -> S3Store:
    return pail.store(tmp_path / "work")


def kept(store: S3Store, content: bytes) -> str:
    return store.put(io.BytesIO(content)).sha256


def shard(sha256: str) -> int:
    return int(sha256[:2], 16)


def naming(*named: str) -> Named:
    return lambda hashes: set(hashes) & set(named)


def test_a_key_is_made_of_the_hash_and_an_id_and_of_nothing_else(store: S3Store, pail: Pail) -> None:
    sha256 = kept(store, b"content")
    (key,) = pail.listed()
    folder, _, last = key.rpartition("/")
    assert (folder, UUID(last).version) == (f"objects/{sha256[:2]}/{sha256}", 7)


def test_of_several_copies_the_first_stays(store: S3Store, pail: Pail) -> None:
    sha256 = {kept(store, b"again") for _ in range(3)}.pop()
    first = pail.listed()[0]
    assert store.collect(shard(sha256), YOUNG, naming(sha256)) == 2
    assert pail.listed() == [first]


def test_who_keeps_the_same_bytes_while_they_are_collected_has_them(store: S3Store) -> None:
    """They are kept after the housekeeper has looked, and before it deletes; the row follows."""
    sha256 = kept(store, b"kept again")

    def named(hashes: Collection[str]) -> set[str]:
        kept(store, b"kept again")
        return set()

    assert store.collect(shard(sha256), YOUNG, named) == 1
    assert store.read(sha256) == b"kept again"


def test_a_part_of_the_store_is_walked_page_by_page(
    store: S3Store, pail: Pail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    sha256 = {kept(store, b"many") for _ in range(5)}.pop()
    assert store.collect(shard(sha256), YOUNG, naming(sha256)) == 4
    assert store.collect(shard(sha256), YOUNG, naming()) == 1
    assert pail.listed() == []


def test_bytes_that_come_otherwise_are_not_taken_for_the_file(store: S3Store, pail: Pail, tmp_path: Path) -> None:
    sha256 = kept(store, b"as it was")
    pail.client.put_object(Bucket=pail.name, Key=f"web/api/{pail.listed()[0]}", Body=b"as it is ")
    with pytest.raises(Damaged):
        store.local(sha256, tmp_path)
    assert not (tmp_path / sha256).exists()


def test_a_link_hands_out_the_bytes_as_a_file_to_be_saved(pail: Pail, tmp_path: Path) -> None:
    store = pail.store(tmp_path, links="on")
    link = store.link(kept(store, b"a,b\n"), "text/csv", 'attachment; filename="a b.csv"')
    assert link is not None
    answer = urllib3.request("GET", link)
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"a,b\n", "text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.csv"'
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["60"]


def test_there_is_no_link_unless_it_is_wanted_nor_to_what_is_gone(store: S3Store, pail: Pail, tmp_path: Path) -> None:
    assert store.link(kept(store, b"a,b\n"), "text/csv", "attachment") is None
    with pytest.raises(FileNotFoundError):
        pail.store(tmp_path, links="on").link(hashlib.sha256(b"gone").hexdigest(), "text/csv", "attachment")


def test_a_trial_leaves_nothing(store: S3Store, pail: Pail) -> None:
    store.check()
    assert pail.listed() == []
