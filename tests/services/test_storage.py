"""Files that people hand in."""

from __future__ import annotations

from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask

from tests.conftest import Person
from webapi.errors import Invalid, NotFound
from webapi.queue.files import store
from webapi.services import storage
from webapi.tasks.data_process import Data


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.csv", "report.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.csv", "x.csv"),
        ("", "file"),
        ("..", "file"),
        ("a\0b\n.csv", "a_b_.csv"),
        ("x" * 300, "x" * 200),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("x." + "y" * 300, "x." + "y" * 198),
        ('"><script>.csv', "___script_.csv"),
    ],
)
def test_a_name_is_made_harmless(name: str, safe: str) -> None:
    assert storage.safe_name(name) == safe


@pytest.mark.usefixtures("context")
def test_a_file_is_kept_by_its_content_and_given_to_its_owner_alone(app: Flask, ada: Person, eve: Person) -> None:
    kept = storage.receive(ada.id, "a.csv", "text/csv", BytesIO(b"a\n1\n"))
    row = storage.upload(ada.id, kept.id)
    assert (store().read(row.sha256), row.size, row.name) == (b"a\n1\n", 4, "a.csv")
    with pytest.raises(NotFound):
        storage.upload(eve.id, kept.id)


@pytest.mark.usefixtures("context")
def test_a_payload_names_only_files_of_its_owner(ada: Person, eve: Person) -> None:
    kept = storage.receive(ada.id, "a.csv", "text/csv", BytesIO(b"a\n1\n"))
    storage.check_uploads(ada.id, Data(file=kept.id))
    for owner, upload in ((eve.id, kept.id), (ada.id, uuid4())):
        with pytest.raises(Invalid) as refused:
            storage.check_uploads(owner, Data(file=upload))
        assert refused.value.faults[0].pointer == "/file"


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("media_type", ["text/html; x=<script>", "nonsense", "a/" + "b" * 200, ""])
def test_a_strange_media_type_is_only_bytes(ada: Person, media_type: str) -> None:
    assert storage.receive(ada.id, "a", media_type, BytesIO(b"x")).media_type == "application/octet-stream"
