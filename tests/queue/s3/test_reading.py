"""An object read as a file, while its answers break off."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proxy import Cut, Link, proxy
from tests.s3_server import Pail
from webapi.errors import StoreAway
from webapi.queue.s3.reading import BUFFER

CONTENT = os.urandom(4 * BUFFER)


def cutting(times: int) -> Callable[[], Link]:
    """Connections whose first `times` long answers are cut in the middle."""
    left = [times]

    class Cutting(Link):
        passed = 0

        def from_server(self, data: bytes) -> bytes:
            self.passed += len(data)
            if left[0] and self.passed > 1.5 * BUFFER:
                left[0] -= 1
                raise Cut
            return data

    return Cutting


def test_an_answer_that_breaks_off_is_asked_for_from_there(pail: Pail, tmp_path: Path) -> None:
    sha256 = pail.store(tmp_path).put(io.BytesIO(CONTENT)).sha256
    with proxy(pail.port, cutting(2)) as between:
        assert pail.store(tmp_path, between.port).read(sha256) == CONTENT
        assert between.cuts == 2


def test_one_that_breaks_off_again_and_again_is_given_up(pail: Pail, tmp_path: Path) -> None:
    sha256 = pail.store(tmp_path).put(io.BytesIO(CONTENT)).sha256
    passed = 0

    class Ending(Link):
        def from_server(self, data: bytes) -> bytes:
            nonlocal passed
            passed += len(data)
            if passed > 1.5 * BUFFER:
                raise Cut
            return data

    with proxy(pail.port, Ending) as between, pail.store(tmp_path, between.port).open(sha256) as file:
        assert file.read(10) == CONTENT[:10]
        with pytest.raises(StoreAway):
            file.read()


def test_a_part_from_the_end_is_all_that_is_asked_for(pail: Pail, tmp_path: Path) -> None:
    sha256 = pail.store(tmp_path).put(io.BytesIO(CONTENT)).sha256
    passed = 0

    class Counting(Link):
        def from_server(self, data: bytes) -> bytes:
            nonlocal passed
            passed += len(data)
            return data

    with proxy(pail.port, Counting) as between, pail.store(tmp_path, between.port).open(sha256) as file:
        file.seek(-100, io.SEEK_END)
        assert file.read() == CONTENT[-100:]
    assert passed < 10_000


def test_what_was_deleted_meanwhile_is_not_there(pail: Pail, tmp_path: Path) -> None:
    store = pail.store(tmp_path)
    file = store.open(store.put(io.BytesIO(b"short-lived")).sha256)
    pail.client.delete_object(Bucket=pail.name, Key=f"web/api/{pail.listed()[0]}")
    with pytest.raises(FileNotFoundError):
        file.read()
