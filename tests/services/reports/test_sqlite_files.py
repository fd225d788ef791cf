"""A SQLite file as a source."""

from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.services.reports.conftest import Run
from webapi.errors import Permanent, Transient
from webapi.services.reports.databases import fetched


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop & co.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, city, amount, day, picture)")
        rows = [(1, "Bern", 1.5, "2026-10-01", b"\x01"), (2, None, 2, "2026-10-02", None)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    return path


@pytest.fixture
def read(place: Flask, file: Path) -> Run:
    place.config["REPORT_SOURCES"] = {"shop": f"sqlite:///{file}"}

    def read(sql: str, **values: Any) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        with fetched("shop", sql, values, "UTC", lambda: None) as found:
            rows = [tuple(row) for row in found.rows]
        return [(column.name, column.type) for column in found.columns], rows

    return read


def test_types_are_told_from_the_rows(read: Run) -> None:
    columns, rows = read("SELECT * FROM orders ORDER BY id")
    assert dict(columns) == {"id": "number", "city": "text", "amount": "number", "day": "text", "picture": "text"}
    assert rows == [(1, "Bern", 1.5, "2026-10-01", "01"), (2, None, 2, "2026-10-02", None)]


def test_values_are_bound(read: Run) -> None:
    sql = "SELECT id FROM orders WHERE day >= :day AND amount < :most AND coalesce(city, '') <> :city"
    assert read(sql, day=date(2026, 10, 2), most=Decimal("2.5"), city="'; DROP TABLE orders; --")[1] == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "SELECT 1; DELETE FROM orders",
        "ATTACH '/tmp/x.db' AS x",
        "PRAGMA query_only = OFF",
        "SELECT load_extension('x')",
        "CREATE TEMP TABLE x (y)",
        "WITH x AS (SELECT 1) DELETE FROM orders",
        "VACUUM INTO '/tmp/x.db'",
        "SELEKT",
        "",
    ],
)
def test_nothing_but_reading_comes_through(read: Run, file: Path, sql: str) -> None:
    before = file.read_bytes()
    with pytest.raises(Permanent, match=r"^The statement failed: .*\.$"):
        read(sql)
    assert file.read_bytes() == before


def test_a_file_that_is_not_there_is_said_to_be(place: Flask, tmp_path: Path) -> None:
    place.config["REPORT_SOURCES"] = {"shop": f"sqlite:///{tmp_path / 'none.db'}"}
    with (
        pytest.raises(Transient, match="The database 'shop' cannot be reached"),
        fetched("shop", "SELECT 1", {}, "UTC", lambda: None),
    ):
        pass
    assert not (tmp_path / "none.db").exists()
