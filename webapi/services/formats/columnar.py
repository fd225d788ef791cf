"""Parquet, by DuckDB: rows go to a scratch file as text, and from there with their types into columns."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from json.encoder import encode_basestring
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webapi.services.formats.batches import Batches
from webapi.services.formats.proof import facts
from webapi.services.formats.table import Column, Heading, Type, Written, plain
from webapi.services.formats.ticking import while_ticking

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = 256 << 20  # bytes, and more where single rows are large
ROW_GROUP = 50_000  # rows that are in memory while they are turned into columns
DIGITS = 38  # of a DECIMAL
SHORTEST_LINE = 1 << 20  # bytes that the reader of JSON has room for at the least


def write_parquet(path: Path, heading: Heading, batches: Batches) -> Written:
    """Text is VARCHAR, integers are BIGINT, booleans BOOLEAN, dates DATE.

    Numbers are DECIMAL, or DOUBLE as soon as one of them is a float. Integers beyond 64 bits are DECIMAL too.
    Where neither holds every digit, the column is text. Moments are TIMESTAMP WITH TIME ZONE if each has a zone,
    otherwise TIMESTAMP, in UTC. The title, parameters, time and manifest stand in the file's key-value metadata.
    """
    shapes = [Shape(column.type) for column in batches.columns]
    with tempfile.TemporaryDirectory(prefix="parquet-", dir=path.parent) as scratch:
        staged = Path(scratch, "rows.ndjson")
        longest = _stage(staged, shapes, batches)
        written = batches.written()
        copying = _copying(path, _selected(batches.columns, shapes, staged, longest), heading, written)
        with _database(staged, path, longest) as database:
            while_ticking(lambda: database.execute(copying), batches.tick, database.interrupt)
    return written


def _stage(staged: Path, shapes: list[Shape], batches: Batches) -> int:
    """Write the rows and return the most bytes that one of them can have."""
    template = "{" + ",".join(f'"{number}":%s' for number in range(len(shapes))) + "}\n"
    longest = 0
    with staged.open("w", encoding="utf-8", newline="\n") as file:
        for batch in batches:
            columns = [shape.texts(values) for shape, values in zip(shapes, batch, strict=True)]
            lines = [template % row for row in zip(*columns, strict=True)]
            longest = max(longest, *map(len, lines))
            file.writelines(lines)
    return max(SHORTEST_LINE, 4 * longest)


def _selected(columns: Sequence[Column], shapes: list[Shape], staged: Path, longest: int) -> str:
    casts = [
        f"{shape.cast(_name(str(number)))} AS {_name(column.name)}"
        for number, (column, shape) in enumerate(zip(columns, shapes, strict=True))
    ]
    texts = ", ".join(f"'{number}': 'VARCHAR'" for number in range(len(shapes)))
    options = f"format='newline_delimited', columns={{{texts}}}, maximum_object_size={longest}"
    return f"SELECT {', '.join(casts)} FROM read_json({_literal(str(staged))}, {options})"  # noqa: S608 # nosec B608 - quoted


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


def _database(staged: Path, path: Path, longest: int) -> DuckDBPyConnection:
    """An empty database that reads the one file, writes the other, and cannot be told otherwise."""
    import duckdb

    limit = f"{MEMORY + 16 * longest}B"
    database = duckdb.connect(
        config={"memory_limit": limit, "threads": 1, "temp_directory": str(staged.parent / "spilled")}
    )
    database.execute("SET allowed_paths = ?", [[str(staged), str(path)]])
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


class Shape:
    """What the values of a column need: known when the last has gone by."""

    def __init__(self, kind: Type) -> None:
        self.kind = kind
        self.before, self.after = 0, 0  # most digits on either side of the point
        self.floats, self.naive, self.any = False, False, False

    def texts(self, values: list[Any]) -> list[str]:
        """The values as JSON: each a string, or null."""
        if self.kind == "text":
            return ["null" if value is None else encode_basestring(value) for value in values]
        if self.kind == "datetime":
            return ["null" if value is None else f'"{self._moment(value)}"' for value in values]
        if self.kind in ("integer", "number"):
            self._measure([value for value in values if value is not None])
        return ["null" if value is None else f'"{value}"' for value in values]

    def _moment(self, value: Any) -> str:
        self.naive |= value.tzinfo is None
        return plain(value).isoformat()

    def _measure(self, values: Sequence[Any]) -> None:
        kinds = set(map(type, values))
        self.floats |= float in kinds
        if int in kinds:
            self.before = max(self.before, *(len(str(abs(value))) for value in values if type(value) is int))
        for value in values if kinds - {int, float} else ():
            if type(value) not in (int, float):
                exponent = int(value.as_tuple().exponent)
                self.before, self.after = max(self.before, value.adjusted() + 1), max(self.after, -exponent)

    @property
    def sql(self) -> str:
        """The SQL type that holds every value exactly."""
        if self.kind in ("integer", "number"):
            return self._number()
        zone = "TIMESTAMP" if self.naive else "TIMESTAMP WITH TIME ZONE"
        return {"text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE", "datetime": zone}[self.kind]

    def cast(self, source: str) -> str:
        zoned = self.sql.endswith("ZONE")
        text = f"{source} || '+00:00'" if zoned else source
        return f"CAST({text} AS {self.sql})"

    def _number(self) -> str:
        if self.floats or (self.kind == "number" and not self.before + self.after):
            return "DOUBLE" if self.before <= 308 else "VARCHAR"
        if self.kind == "integer" and self.before <= 18:
            return "BIGINT"
        digits = max(self.before, 1) + self.after
        return f"DECIMAL({max(digits, 18)},{self.after})" if digits <= DIGITS else "VARCHAR"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
