"""Profiles of data."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import kind_named, submit
from webapi.queue.run import work
from webapi.services import storage
from webapi.services.profiles import profile_values
from webapi.tasks.data_process import Data


def test_a_list_of_objects_is_profiled_column_by_column() -> None:
    profile = profile_values(
        [{"city": "Bern", "sales": 12}, {"city": "Basel", "sales": 9.5}, {"city": None, "sales": 1}]
    )
    city, sales = profile["columns"]
    assert profile["rows"] == 3
    assert (city["name"], city["nulls"], city["min"], city["max"]) == ("city", 1, "Basel", "Bern")
    assert (sales["nulls"], sales["avg"], sales["q50"]) == (0, 7.5, 9.5)


@pytest.mark.parametrize(("data", "rows"), [([], 0), ([1, 2], 2), ({"a": 1}, 1), ("text", 1), (None, 1), ([None], 1)])
def test_any_json_can_be_profiled(data: Any, rows: int) -> None:
    assert profile_values(data)["rows"] == rows


def process(ada: Person, name: str, content: bytes) -> tuple[str, Any, str]:
    kept = storage.receive(ada.id, name, "text/plain", BytesIO(content))
    job_id = submit("data.process", Data(file=kept.id), owner_id=ada.id).id
    work(kind_named("data.process"))
    job = db.session.scalars(select(Job).where(Job.id == job_id)).one()
    return job.state, job.result, job.error_public or ""


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"a,b\n1,x\n2,y\n"),
        ("a.tsv", b"a\tb\n1\tx\n2\ty\n"),
        ("a.ndjson", b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n'),
        ("a.json", b'[{"a":1,"b":"x"},{"a":2,"b":"y"}]'),
    ],
)
def test_a_file_is_read_by_its_name(ada: Person, name: str, content: bytes) -> None:
    state, result, error = process(ada, name, content)
    assert (state, error, result["rows"], [column["name"] for column in result["columns"]]) == (
        "succeeded",
        "",
        2,
        ["a", "b"],
    )


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(("name", "content"), [("a.exe", b"MZ"), ("a.parquet", b"no parquet"), ("a.json", b"{")])
def test_what_cannot_be_read_fails_with_a_sentence(ada: Person, name: str, content: bytes) -> None:
    state, _, error = process(ada, name, content)
    assert state == "failed"
    assert error.startswith(name)


@pytest.mark.usefixtures("context")
def test_a_file_that_names_another_file_does_not_open_it(ada: Person) -> None:
    state, result, _ = process(ada, "a.csv", b"path\nread_csv('/etc/passwd')\n")
    assert (state, result["rows"]) == ("succeeded", 1)
    assert "root" not in str(result)
