"""Rows from datasets and from databases, one way."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb
import pytest
from flask import Flask
from sqlalchemy import insert

from tests.conftest import Person
from webapi.errors import Permanent
from webapi.models import Dataset, ReportVersion
from webapi.models.transaction import writing
from webapi.services.reports import sources
from webapi.services.reports.sources import Asked

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def dataset(app: Flask, ada: Person, tmp_path: Path) -> UUID:
    """Three rows under the name `sales`."""
    path = tmp_path / "sales.parquet"
    duckdb.execute(f"COPY (SELECT range AS n, 'Bern' AS city FROM range(3)) TO '{path}' (FORMAT parquet)")
    with path.open("rb") as file:
        stored = app.extensions["files"].put(file)
    dataset_id = uuid4()
    values = {"file_name": "a.csv", "format": "csv", "sha256": "0" * 64, "size": 1, "state": "ready"}
    with writing() as session:
        session.execute(
            insert(Dataset).values(id=dataset_id, owner_id=ada.id, name="sales", table_sha256=stored.sha256, **values)
        )
    return dataset_id


def read(owner: Person, tables: list[list[str]], sql: str, folder: Path, **values: Any) -> tuple[Any, ...]:
    version = ReportVersion(source="data", sql=sql, datasets=tables)
    most = values.pop("most", None)
    with sources.opened(Asked(owner.id, version, values, "UTC"), folder, lambda: None, most) as found:
        rows = list(found.rows)
    return [column.name for column in found.columns], rows, found.incomplete()


def test_a_dataset_and_the_owners_jobs_are_joined(ada: Person, dataset: UUID, tmp_path: Path) -> None:
    tables = [["sales", str(dataset)], ["jobs", ""]]
    sql = "SELECT n, count(id) AS jobs FROM sales LEFT JOIN jobs ON true WHERE n > $least GROUP BY n ORDER BY n"
    assert read(ada, tables, sql, tmp_path, least=0) == (["n", "jobs"], [(1, 0), (2, 0)], None)


def test_too_many_rows_are_told(ada: Person, dataset: UUID, tmp_path: Path) -> None:
    names, rows, why = read(ada, [["sales", str(dataset)]], "FROM sales", tmp_path, most=2)
    assert (names, len(rows)) == (["n", "city"], 2)
    assert why == "truncated at 2 rows because a report may have no more"


def test_a_database_is_cut_off_alike(app: Flask, ada: Person, tmp_path: Path) -> None:
    app.config["REPORT_SOURCES"] = {"shop": f"sqlite:///{tmp_path / 'shop.db'}"}
    (tmp_path / "shop.db").touch()
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"
    version = ReportVersion(source="shop", sql=sql, datasets=[])
    for most, why in ((2, "truncated at 2 rows because a report may have no more"), (3, None)):
        with sources.opened(Asked(ada.id, version, {}, "UTC"), tmp_path, lambda: None, most) as found:
            assert len(list(found.rows)) == most
            assert found.incomplete() == why


def test_somebody_elses_dataset_is_not_there(eve: Person, dataset: UUID, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="The dataset 'sales' is deleted"):
        read(eve, [["sales", str(dataset)]], "FROM sales", tmp_path)
