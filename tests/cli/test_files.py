"""`flask files copy`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from flask import Flask

from tests.conftest import Person
from webapi.queue.disk import DiskStore
from webapi.services import storage


def test_files_are_copied_and_what_cannot_be_is_named(app: Flask, ada: Person, tmp_path: Path) -> None:
    with app.app_context():
        kept, lost = (storage.receive(ada.id, name, "", BytesIO(name.encode())).sha256 for name in ("kept", "lost"))
        app.extensions["files"].path(lost).unlink()
    other = DiskStore(str(tmp_path / "other"))
    answer = app.test_cli_runner().invoke(args=["files", "copy", str(other.root)])
    assert answer.exit_code == 1
    assert f"{lost}: no bytes" in answer.output
    assert "1 files copied (0.0 MB), 0 were there, 1 cannot be." in answer.output
    assert other.read(kept) == b"kept"


def test_an_address_that_means_nothing_is_refused(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["files", "copy", "s3://no bucket"])
    assert (answer.exit_code, "write s3://bucket/prefix" in answer.output) == (2, True)
