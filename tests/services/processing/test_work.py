"""A whole job: what its result says, its files, and its page."""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from tests.queue.rows import OWNER, accept, artifacts, job
from webapi.models import Job
from webapi.queue import kind_named
from webapi.queue.files import store
from webapi.queue.run import work
from webapi.services import storage
from webapi.tasks.data_process import Data

pytestmark = pytest.mark.usefixtures("owner")
ORDERS = "id,city,amount\n" + "".join(f"{n},{' Bern' if n % 3 else 'Basel'},{n}.25\n" for n in range(1, 101))
STEPS: dict[str, Any] = {"trim": True, "filter": "amount < 50", "dedupe_by": ["city"], "rename": {"id": "order"}}


def done(content: str, name: str = "orders.csv", **options: Any) -> Job:
    kept = storage.receive(OWNER, name, "text/csv", BytesIO(content.encode()))
    job_id = accept("data.process", Data(file=kept.id, **options))
    work(kind_named("data.process"))
    finished = job(job_id)
    assert (finished.error_public, finished.state) == (None, "succeeded")
    return finished


def file_of(finished: Job, name: str) -> bytes:
    return store().read(storage.artifact(finished.id, name).sha256)


def test_rows_before_and_after_add_up_by_the_steps_between() -> None:
    result = done(ORDERS, **STEPS).result or {}
    removed = sum(step.get("removed", 0) for step in result["steps"])
    assert (result["rows_before"], result["rows"], removed) == (100, 2, 98)
    assert [step["step"] for step in result["steps"]] == ["trim", "filter", "dedupe", "rename"]


def test_without_steps_the_table_is_profiled_as_it_is() -> None:
    result = done(ORDERS).result or {}
    assert (result["rows_before"], result["rows"], result["steps"]) == (100, 100, [])
    assert result["source"] == {
        "name": "orders.csv", "format": "csv", "delimiter": ",", "encoding": "utf-8", "decimal": ".",
    }  # fmt: skip


def test_the_file_holds_the_clean_rows_and_the_result_proves_it() -> None:
    finished = done(ORDERS, trim=True, filter="city = 'Bern'", convert_to="csv")
    content, told = file_of(finished, "orders.csv"), (finished.result or {})["file"]
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert (told["rows"], told["complete"], told["truncated"]) == (len(rows), True, None)
    assert Decimal(told["totals"]["amount"]) == sum(Decimal(row["amount"]) for row in rows)
    assert {row["city"] for row in rows} == {"Bern"}
    assert told["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("convert_to", ["csv", "json", "html", "xlsx", "parquet", "pdf"])
def test_every_format_can_be_had(convert_to: str) -> None:
    finished = done(ORDERS, convert_to=convert_to)
    assert [row.name for row in artifacts(finished.id)] == [f"orders.{convert_to}", "profile.json"]
    assert (finished.result or {})["file"]["rows"] == 100


@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)
def test_of_many_columns_the_result_shows_300_and_the_file_all() -> None:
    content = ",".join(f"c{n}" for n in range(310)) + "\n" + ",".join("x" for _ in range(310)) + "\n"
    finished = done(content)
    result = finished.result or {}
    assert (len(result["columns"]), result["note"]) == (
        300,
        "Only the first 300 of the 310 columns are shown: profile.json has all of them.",
    )
    assert len(json.loads(file_of(finished, "profile.json"))["columns"]) == 310


def test_a_file_that_is_called_like_the_profile_does_not_take_its_place() -> None:
    finished = done('[{"a": 1}]', name="profile.json", convert_to="json")
    assert [row.name for row in artifacts(finished.id)] == ["profile.json", "table.json"]


def test_a_long_name_of_wide_letters_is_cut_by_its_bytes() -> None:
    finished = done(ORDERS, name=f"{'漢' * 150}.csv", convert_to="json")
    assert [row.name for row in artifacts(finished.id)] == ["profile.json", f"{'漢' * 50}.json"]


@pytest.mark.parametrize(("data", "rows"), [([], 0), ([None], 1), ([{}], 1), ({}, 1), ([[]], 1)])
def test_data_of_nothing_has_a_profile(data: Any, rows: int) -> None:
    job_id = accept("data.process", Data(data=data))
    work(kind_named("data.process"))
    assert (job(job_id).error_public, (job(job_id).result or {}).get("rows")) == (None, rows)
