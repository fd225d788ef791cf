"""One file of many rows, by us or by the straight use of a library, in a process of its own.

    python -m benchmarks.writers generated ours xlsx 1000000 /tmp/a.xlsx

prints the seconds that it took. `SOURCES` is where another source is plugged in.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import typst
import xlsxwriter

from webapi.services.formats import Column, Heading, write

Rows = Iterator[tuple[Any, ...]]
COLUMNS = [
    Column("id", "integer"),
    Column("customer", "text"),
    Column("country", "text"),
    Column("amount", "number"),
    Column("weight", "number"),
    Column("paid", "boolean"),
    Column("day", "date"),
    Column("at", "datetime"),
]
SQL = ("BIGINT", "VARCHAR", "VARCHAR", "DECIMAL(18, 2)", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMPTZ")
COUNTRIES = ("Germany", "France", "Italy", "Spain", "Poland", "Sweden", "Norway")
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
TEMPLATE = '#let data = json("rows.json")\n#table(columns: 8, table.header(..data.heads), ..data.rows.flatten())\n'


@contextmanager
def generated(count: int) -> Iterator[Rows]:
    """Rows as they are made, so that no source takes memory."""
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(700)]
    yield (
        (
            n,
            f"Customer number {n % 50_000}",
            COUNTRIES[n % 7],
            Decimal(n * 7919 % 900_000 - 50_000).scaleb(-2),
            n / 7 - 3,
            n % 3 == 0,
            days[n % 700],
            FIRST + timedelta(seconds=37 * n),
        )
        for n in range(count)
    )


SOURCES: dict[str, Callable[[int], AbstractContextManager[Rows]]] = {"generated": generated}


def ours(kind: Any, path: Path, rows: Rows) -> None:
    heading = Heading("Sales", {"Region": "all"}, FIRST, about={"Definition": "Sales", "Version": "1"})
    done = write(path, kind, heading, COLUMNS, rows)
    assert done.truncated is None, done.truncated


def csv_module(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in COLUMNS])
        writer.writerows(rows)


def xlsxwriter_straight(path: Path, rows: Rows) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    with xlsxwriter.Workbook(str(path), options | {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [column.name for column in COLUMNS])
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)


def duckdb_copy(path: Path, rows: Rows) -> None:
    """DuckDB takes no rows of Python's but one by one, which is slower by far than through a file."""
    staged = path.with_suffix(".staged")
    csv_module(staged, rows)
    types = json.dumps(dict(zip((column.name for column in COLUMNS), SQL, strict=True))).replace('"', "'")
    duckdb.sql(f"COPY (FROM read_csv('{staged}', columns={types})) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    staged.unlink()


def typst_straight(path: Path, rows: Rows) -> None:
    data = {"heads": [column.name for column in COLUMNS], "rows": [list(map(str, row)) for row in rows]}
    (path.parent / "rows.json").write_text(json.dumps(data), "utf-8")
    (path.parent / "rows.typ").write_text(TEMPLATE, "utf-8")
    typst.compile(path.parent / "rows.typ", output=path)


def nothing(path: Path, rows: Rows) -> None:
    """What the source alone takes."""
    for _ in rows:
        pass


STRAIGHT: dict[str, tuple[str, Callable[[Path, Rows], None]]] = {
    "csv": ("csv.writer", csv_module),
    "xlsx": ("XlsxWriter, constant_memory", xlsxwriter_straight),
    "parquet": ("csv.writer and DuckDB's COPY", duckdb_copy),
    "pdf": ("Typst, one table", typst_straight),
    "nothing": ("the source alone", nothing),
}


def main(source: str, who: str, kind: str, count: int, path: Path) -> None:
    with SOURCES[source](count) as rows:
        began = time.monotonic()
        if who == "ours":
            ours(kind, path, rows)
        else:
            STRAIGHT[kind][1](path, rows)
        print(time.monotonic() - began)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
