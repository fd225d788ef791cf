"""What somebody uses of what they may."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask

from tests.conftest import Person
from webapi.errors import StorageFull
from webapi.queue import room
from webapi.services import datasets, storage, usage

pytestmark = [
    pytest.mark.usefixtures("context"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
CSV = b"a,b\n1,2\n"


def used(person: Person) -> dict[str, int | None]:
    return {each.name: each.used for each in usage.of(person.row)}


def test_jobs_files_and_datasets_are_counted(app: Flask, ada: Person, eve: Person) -> None:
    storage.receive(ada.id, "a.bin", "text/plain", BytesIO(b"12345"))
    row = datasets.create(ada.row, "sales", "sales.csv", BytesIO(CSV))
    counted = used(ada)
    assert (counted["storage_bytes"], counted["datasets"], counted["open_jobs"]) == (5 + len(CSV), 1, 1)
    assert set(used(eve).values()) <= {0, None}
    datasets.replace(ada.row, row.id, "sales.csv", BytesIO(CSV * 2))
    assert used(ada)["storage_bytes"] == 5 + 2 * len(CSV)
    datasets.remove(ada.row, row.id)
    assert used(ada)["storage_bytes"] == 5


def test_a_dataset_too_many_is_refused_with_what_to_do(app: Flask, ada: Person) -> None:
    app.config["DATASETS_PER_OWNER"] = 1
    datasets.create(ada.row, "one", "one.csv", BytesIO(CSV))
    with pytest.raises(StorageFull, match=r"You have 1 datasets, which is the limit\. Delete one"):
        datasets.create(ada.row, "two", "two.csv", BytesIO(CSV))
    assert room.used(ada.id) == len(CSV)
