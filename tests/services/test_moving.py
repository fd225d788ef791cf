"""Moving from a disk to a bucket and back."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from tests.conftest import Person
from tests.s3_server import Pail
from webapi.queue.disk import DiskStore
from webapi.queue.files import Damaged, store
from webapi.services import moving, storage

pytestmark = [
    pytest.mark.usefixtures("context"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def test_what_is_named_is_copied_once_and_comes_back(ada: Person, pail: Pail, tmp_path: Path) -> None:
    sizes = [storage.receive(ada.id, name, "", BytesIO(name.encode())).size for name in ("a", "bcd")]
    store().put(BytesIO(b"nobody's"))
    bucket, back = pail.store(tmp_path / "scratch"), DiskStore(str(tmp_path / "back"))
    hashes = moving.named()
    assert sorted(moving.copy(each, store(), bucket) or 0 for each in hashes) == sizes
    assert [moving.copy(each, store(), bucket) for each in hashes] == [None, None]
    assert sorted(moving.copy(each, bucket, back) or 0 for each in hashes) == sizes
    assert {back.read(each) for each in hashes} == {b"a", b"bcd"}


def test_bytes_that_changed_are_not_copied_for_those_that_were_kept(ada: Person, tmp_path: Path) -> None:
    sha256 = storage.receive(ada.id, "a", "", BytesIO(b"as it was")).sha256
    disk = store()
    assert isinstance(disk, DiskStore)
    disk.path(sha256).write_bytes(b"as it is ")
    with pytest.raises(Damaged):
        moving.copy(sha256, disk, DiskStore(str(tmp_path / "other")))
