"""Parquet reads back as what was written, with its types."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.formats.sample import ODD, heading, odd, rows, written
from webapi.services.formats import Column, Type, write
from webapi.services.formats.cells import encodable


def read(path: Path) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        described = database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return [(name, kind) for name, kind, *_ in described], found


def kept(path: Path, kind: Type, values: list[Any]) -> tuple[str, list[Any]]:
    write(path, "parquet", heading(), [Column("a", kind)], [[value] for value in values])
    ((_, stored),), found = read(path)
    return stored, [value for (value,) in found]


def test_rows_read_back_with_their_types(tmp_path: Path) -> None:
    done = written(tmp_path / "a.parquet", "parquet", 2500)
    described, found = read(tmp_path / "a.parquet")
    kinds = ["BIGINT", "VARCHAR", "DECIMAL(18,2)", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR"]
    assert [kind for _, kind in described] == kinds
    assert found == [tuple(row) for row in rows(2500)]
    assert done.totals["price"] == sum(row[2] for row in found)
    assert done.totals["id"] == sum(row[0] for row in found)


def test_the_heading_stands_in_the_metadata(tmp_path: Path) -> None:
    odd(tmp_path / "a.parquet", "parquet", "it's; DROP")
    with duckdb.connect() as database:
        query = "SELECT key, value FROM parquet_kv_metadata(?)"
        found = dict(database.execute(query, [str(tmp_path / "a.parquet")]).fetchall())
    assert (found[b"title"], found[b"parameters"]) == (b"it's; DROP", b'{"it\'s; DROP": "it\'s; DROP"}')


@pytest.mark.parametrize(
    ("kind", "values", "stored"),
    [
        ("integer", [1, -(2**62), None], "DECIMAL(19,0)"),
        ("integer", [10**17, None], "BIGINT"),
        ("integer", [], "BIGINT"),
        ("number", [], "DOUBLE"),
        ("number", [None], "DOUBLE"),
        ("number", [Decimal("12345678901234567890.123"), 7], "DECIMAL(23,3)"),
        ("number", [Decimal("0.00001"), Decimal("-1E+3")], "DECIMAL(18,5)"),
        ("number", [0.1, 2], "DOUBLE"),
        ("number", [0.1, float("inf"), 1e-300, 5e-324, 1.7976931348623157e308], "DOUBLE"),
        ("date", [date(1, 1, 1), date(9999, 12, 31), None], "DATE"),
        ("datetime", [datetime(2026, 1, 1, 2, 3, 4, 5, UTC), None], "TIMESTAMP WITH TIME ZONE"),
        ("datetime", [datetime.fromisoformat("2026-01-01T02:03:04.000005")], "TIMESTAMP"),
        ("text", ["", None, "NULL", "a\x00b"], "VARCHAR"),
        ("boolean", [True, False, None], "BOOLEAN"),
    ],
)
def test_a_column_has_the_type_that_holds_its_values(
    tmp_path: Path, kind: Type, values: list[Any], stored: str
) -> None:
    assert kept(tmp_path / "a.parquet", kind, values) == (stored, values)


@pytest.mark.parametrize("value", [10**40, Decimal("1E+400"), Decimal("1E-50")])
def test_a_number_that_no_type_holds_is_text(tmp_path: Path, value: Any) -> None:
    assert kept(tmp_path / "a.parquet", "number", [value]) == ("VARCHAR", [str(value)])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False), st.integers()), max_size=4))
def test_decimals_are_exact(values: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        _, found = kept(Path(folder, "a.parquet"), "number", values)
    assert [value if value is None else Decimal(value) for value in found] == values


@settings(deadline=None, max_examples=60)
@given(ODD)
def test_any_text_reads_back(text: str) -> None:
    with TemporaryDirectory() as folder:
        odd(Path(folder, "a.parquet"), "parquet", text, name="x" + text)
        described, found = read(Path(folder, "a.parquet"))
    assert [name for name, _ in described] == ["x" + encodable(text), "n"]
    assert found == [(encodable(text), 1), (encodable(text), 2)]


def test_a_row_of_many_megabytes_is_kept(tmp_path: Path) -> None:
    text = "ä" * 5_000_000
    assert kept(tmp_path / "a.parquet", "text", [text]) == ("VARCHAR", [text])
