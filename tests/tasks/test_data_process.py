"""What `data.process` takes; its function is called like any other."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError

from tests.conftest import Person
from webapi.tasks.data_process import MOST_FILTERS, Data, process_data


def test_data_is_profiled() -> None:
    assert process_data(Data(data=[1, 2, 3]))["rows"] == 3


@pytest.mark.parametrize("data", [0, "", False, [], {}])
def test_what_is_empty_is_data_all_the_same(data: Any) -> None:
    assert Data(data=data).file is None


@pytest.mark.parametrize("given", [{}, {"data": None}, {"data": 1, "file": "01900000-0000-7000-8000-000000000000"}])
def test_it_is_either_data_or_a_file(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give either data or a file or a dataset"):
        Data.model_validate(given)


@pytest.mark.parametrize(
    "given", [{"file": "report.csv"}, {"file": "../x"}, {"data": 1, "owner_id": "01900000-0000-7000-8000-000000000000"}]
)
def test_a_file_is_named_by_its_id_and_nothing_else_is_taken(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Data.model_validate(given)


@pytest.mark.parametrize(
    "steps",
    [
        {"types": {"a": "float"}},
        {"types": {"a": "number:%d"}},
        {"types": {"": "text"}},
        {"types": ["a"]},
        {"trim": "yes"},
        {"on_error": "ignore"},
        {"rename": {"a": ""}},
        {"keep": "a"},
        {"keep": ["a"] * 1001},
        {"dedupe": ["a"]},
        {"convert_to": "exe"},
        {"convert_to": "../csv"},
        {"clean": {}},
        {"filter": "x" * 2001},
    ],
)
def test_a_step_is_what_it_is_said_to_be(steps: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Data.model_validate({"data": 1, **steps}, strict=True)


def batch(client: FlaskClient, ada: Person, filters: list[str]) -> dict[str, Any]:
    items = [{"data": [1], "filter": each} for each in filters]
    options: dict[str, Any] = {"content_type": "application/json", "headers": ada.headers}
    answer = client.post("/api/v1/jobs/data.process/batch?partial=true", data=json.dumps(items), **options)
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_batch_has_each_filter_looked_at_once_and_not_all_of_many(client: FlaskClient, ada: Person) -> None:
    began = time.monotonic()
    assert batch(client, ada, ["value > 0"] * 300)["accepted"] == 300
    assert time.monotonic() - began < 20, "a process for each takes more than a minute"
    bad = [f"value > {number} \x01" for number in range(MOST_FILTERS + 5)]
    told = batch(client, ada, bad)
    assert (told["refused"], told["accepted"]) == (MOST_FILTERS, 5)
