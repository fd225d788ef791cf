"""Parquet, by DuckDB: rows go to a scratch file as CSV, and from there with their types into columns."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from webapi.services.formats.batches import Batches
from webapi.services.formats.proof import facts
from webapi.services.formats.shapes import Shape
from webapi.services.formats.staging import SHORTEST_LINE, Staged, stage
from webapi.services.formats.table import Column, Heading, Written
from webapi.services.formats.texts import Blocks
from webapi.services.formats.ticking import while_ticking

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEAST_MEMORY, MOST_MEMORY = 48 << 20, 256 << 20  # bytes, and more where single rows are large
ROW_GROUP = 50_000  # rows that are in memory while they are turned into columns
CSV = (
    "auto_detect=false, header=false, parallel=false, delim=',', quote='\"', escape='\"', comment='', new_line='\\n', "
    "nullstr='', allow_quoted_nulls=false"
)


def write_parquet(path: Path, heading: Heading, batches: Batches | Blocks) -> Written:
    """Text is VARCHAR, integers are BIGINT, booleans BOOLEAN, dates DATE.

    Numbers are DECIMAL, or DOUBLE as soon as one of them is a float. Integers beyond 64 bits are DECIMAL too.
    Where neither holds every digit, the column is text. Moments are TIMESTAMP WITH TIME ZONE if each has a zone,
    otherwise TIMESTAMP, in UTC. The title, parameters, time and manifest stand in the file's key-value metadata.
    """
    shapes = list(map(Shape, batches.columns))
    with tempfile.TemporaryDirectory(prefix="parquet-", dir=path.parent) as scratch:
        staged = stage(Path(scratch, "rows.csv"), shapes, batches)
        written = batches.written()
        copying = _copying(path, _selected(batches.columns, shapes, staged), heading, written)
        with _database(staged, path) as database:
            while_ticking(lambda: database.execute(copying), batches.tick, database.interrupt)
    return written


def _selected(columns: Sequence[Column], shapes: list[Shape], staged: Staged) -> str:
    names = ", ".join(f"{_name(str(number))} AS {_name(column.name)}" for number, column in enumerate(columns))
    types = ", ".join(f"'{number}': '{shape.sql}'" for number, shape in enumerate(shapes))
    options = f"columns={{{types}}}, max_line_size={staged.longest}, buffer_size={2 * staged.longest}, {CSV}"
    return f"SELECT {names} FROM read_csv({_literal(str(staged.path))}, {options})"  # noqa: S608 # nosec B608 - quoted


def _copying(path: Path, selected: str, heading: Heading, written: Written) -> str:
    about = {
        "title": heading.title,
        "as_of": heading.as_of.isoformat(),
        "parameters": json.dumps(dict(heading.parameters), ensure_ascii=False),
        "manifest": json.dumps(facts(heading, written), ensure_ascii=False),
    }
    metadata = ", ".join(f"{key}: {_literal(value)}" for key, value in about.items())
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, USE_TMP_FILE false"
    return f"COPY ({selected}) TO {_literal(str(path))} ({options}, KV_METADATA {{{metadata}}})"


def _database(staged: Staged, path: Path) -> DuckDBPyConnection:
    """An empty database that reads the one file, writes the other, and cannot be told otherwise."""
    import duckdb

    memory = min(MOST_MEMORY, LEAST_MEMORY + 4 * ROW_GROUP * staged.widest) + 16 * (staged.longest - SHORTEST_LINE)
    spilled = str(staged.path.parent / "spilled")
    database = duckdb.connect(config={"memory_limit": f"{memory}B", "threads": 1, "temp_directory": spilled})
    database.execute("SET allowed_paths = ?", [[str(staged.path), str(path)]])
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
