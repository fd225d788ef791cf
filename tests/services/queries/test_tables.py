"""A file as Parquet: every row, exact, in types that a person may correct."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.services.queries.conftest import LIMITS, Make
from webapi.errors import Permanent
from webapi.services.queries.tables import TYPES, Table, store

Keep = Callable[..., tuple[Table, list[tuple[Any, ...]]]]


@pytest.fixture
def keep(folder: Path, make: Make) -> Keep:
    """The table that was kept, and all its rows as Parquet gives them. The folder is empty afterwards."""

    def keep(content: str, kind: str = "csv", types: dict[str, str] | None = None, **options: Any) -> Any:
        source = make(content, kind, **options)
        try:
            table = store(source, types or {}, limits=LIMITS, folder=folder, tell=lambda _: None)
            with duckdb.connect() as database:
                return table, database.execute(f"FROM '{table.path}'").fetchall()
        finally:
            for path in folder.iterdir():
                path.unlink()

    return keep


def test_columns_rows_and_how_it_was_read_are_told(keep: Keep) -> None:
    table, rows = keep("id;price\n1;2,50\n2;\n")
    assert (table.columns, table.rows) == ([("id", "integer"), ("price", "number")], 2)
    assert (rows, table.first) == ([(1, 2.5), (2, None)], [[1, 2.5], [2, None]])
    assert (table.options.delimiter, table.options.decimal) == (";", ",")


def test_the_first_rows_are_fifty_and_their_cells_are_short(keep: Keep) -> None:
    table, rows = keep("a\n" + f"{'x' * 5000}\n" * 60)
    assert (table.rows, len(table.first), len(table.first[0][0])) == (60, 50, 101)
    assert rows[59] == ("x" * 5000,)


def test_whole_numbers_that_no_64_bits_hold_stay_exact(keep: Keep) -> None:
    _, rows = keep("a\n12345678901234567890\n1\n")
    assert [str(row[0]) for row in rows] == ["12345678901234567890", "1"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_column_can_be_given_each_type(keep: Keep, kind: str) -> None:
    value = {"boolean": "true", "date": "2026-03-01", "datetime": "2026-03-01 10:00:00"}.get(kind, "7")
    table, _ = keep(f"a,b\n{value},x\n", types={"a": kind})
    assert table.columns == [("a", kind), ("b", "text")]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_type_that_would_change_a_value_is_refused(keep: Keep, kind: str) -> None:
    content = {"csv": "a\n1\n2.5\n", "ndjson": '{"a": 1}\n{"a": 2.5}\n'}[kind]
    with pytest.raises(Permanent, match=r"^The file holds a value in 'a' that is not a whole number\.$"):
        keep(content, kind, types={"a": "integer"})


def test_a_type_that_does_not_fit_and_a_column_that_is_not_there_are_told(keep: Keep) -> None:
    with pytest.raises(Permanent, match=r"^The file could not be read: line 3: .*\"never\""):
        keep("a\n2026-01-01\nnever\n", types={"a": "date"})
    with pytest.raises(Permanent, match=r"^The file has no column called 'z'\.$"):
        keep("a\n1\n", types={"z": "date"})


@pytest.mark.parametrize("line", [1, 2, 40_000])
def test_the_line_that_is_no_json_is_named(keep: Keep, line: int) -> None:
    lines = ['{"a": 1}'] * 50_000
    lines[line - 1] = '{"a": '
    with pytest.raises(Permanent, match=f"^The file holds no JSON in line {line:,}\\.$"):
        keep("\n".join(lines), "ndjson")


class Enough(Exception):
    """What somebody who waits may raise."""


def test_it_tells_how_far_it_is_and_stops_when_it_is_told_to(folder: Path, make: Make) -> None:
    source = make("a,b\n" + "".join(f"{number},{number * 7}\n" for number in range(3_000_000)))
    heard: list[tuple[float, float]] = []

    def tell(percent: float) -> None:
        heard.append((time.monotonic(), percent))
        if len(heard) == 3:
            raise Enough

    with pytest.raises(Enough):
        store(source, {}, limits=LIMITS, folder=folder, tell=tell)
    left = time.monotonic() - heard[-1][0]
    for path in folder.iterdir():
        path.unlink()
    assert left < 1
    assert all(0 <= percent <= 100 for _, percent in heard)
