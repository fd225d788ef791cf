"""In the child: a whole file as Parquet, with its columns, its first rows and how many there are."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from . import reading, statements
from .calls import identifier, quoted
from .sources import Options, Refusal, Source

VIEW = "data"
KEPT = "table.parquet"
FIRST_ROWS = 50
LONGEST_CELL = 100  # characters of a cell that are shown
BEAT = 0.5  # seconds
ROW_GROUP = 50_000  # rows that are in memory while they are turned into columns
# Parquet has no such integers, and DuckDB would write floats.
WIDE = {"HUGEINT": "DECIMAL(38,0)", "UHUGEINT": "VARCHAR"}


def keep(
    database: DuckDBPyConnection, source: Source, types: dict[str, str], lock: Callable[[list[str]], None]
) -> dict[str, Any]:
    """Write KEPT into this folder; the columns as (name, type, DuckDB's type). A Refusal is a whole sentence.

    `types` are DuckDB's, by the names of columns that are to be read otherwise than they look. `lock` gives up
    everything but the files that it is handed.
    """
    link = Path(f"data-1.{source.format}")
    try:
        options = reading.attach(database, VIEW, source, link)
        if types:
            options = reading.retype(database, VIEW, source.format, link, options, types)
    except Refusal as refusal:
        raise Refusal(f"The file {refusal}.") from None
    except duckdb.Error:  # which counts lines otherwise
        line = _broken(link) if source.format == "ndjson" else None
        if line is None:
            raise
        raise Refusal(f"The file holds no JSON in line {line:,}.") from None
    lock([str(link), KEPT])
    rows = _copy(database)
    columns, first = statements.run(database, statements.single(f"FROM read_parquet('{KEPT}') LIMIT {FIRST_ROWS}"), {})
    shown = [[_short(cell) for cell in row] for row in first.fetchall()]
    return {"columns": columns, "options": asdict(_corrigible(options, source)), "rows": rows, "first": shown}


@contextmanager
def telling(database: DuckDBPyConnection, tell: Callable[[float], object]) -> Iterator[None]:
    """Call `tell` twice a second, from a thread of its own, with how many percent of a statement are done."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            tell(max(0.0, database.query_progress()))

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _copy(database: DuckDBPyConnection) -> int:
    described = database.execute(f"DESCRIBE {VIEW}").fetchall()
    wide = {str(name): WIDE[kind] for name, kind, *_ in described if kind in WIDE}
    casts = ", ".join(f"{identifier(name)}::{kind} AS {identifier(name)}" for name, kind in wide.items())
    selected = f"SELECT * REPLACE ({casts}) FROM {VIEW}" if casts else f"FROM {VIEW}"  # noqa: S608 # nosec B608 - quoted
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, USE_TMP_FILE false"
    row = database.execute(f"COPY ({selected}) TO {quoted(KEPT)} ({options})").fetchone()
    assert row is not None
    return int(row[0])


def _broken(link: Path) -> int | None:
    """The first line that is no JSON, counted from 1."""
    with link.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                json.loads(line or "null")
            except ValueError:
                if line.strip():
                    return number
    return None


def _corrigible(options: Options, source: Source) -> Options:
    """Parquet says itself how it is read."""
    return Options() if source.format == "parquet" else options


def _short(cell: Any) -> Any:
    """What JSON can hold, and no more of a text than somebody looks at."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return f"{cell[:LONGEST_CELL]}…" if isinstance(cell, str) and len(cell) > LONGEST_CELL else cell
