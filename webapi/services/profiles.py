"""Data: a profile of each column, by DuckDB, in bounded memory."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from webapi.errors import Permanent
from webapi.queue import current, progress
from webapi.services import storage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "512MB"
READERS = {
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".json": "read_json",
    ".ndjson": "read_json",
    ".parquet": "read_parquet",
}
NUMBER = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(\d+,\d+\)"
)  # no list and no struct of them


def profile_upload(upload_id: UUID) -> dict[str, Any]:
    """Profile a file that the job's owner handed in: CSV, TSV, JSON, NDJSON or Parquet."""
    attempt = current()
    assert attempt is not None, "an upload belongs to the owner of a job"
    row, path = storage.upload(attempt.owner_id, upload_id)
    suffix = Path(row.name).suffix.lower()
    if suffix not in READERS:
        raise Permanent(f"{row.name}: this is none of {', '.join(READERS)}.")
    return _profile(path, READERS[suffix], row.name)


def profile_values(data: Any) -> dict[str, Any]:
    """Profile a JSON value: a list of objects, a list of values, one object, or one value."""
    records = [
        item if isinstance(item, dict) else {"value": item} for item in (data if isinstance(data, list) else [data])
    ]
    if not records:
        return {"rows": 0, "columns": []}
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record) + "\n")
        file.flush()
        return _profile(Path(file.name), "read_ndjson", "data")


def _profile(path: Path, reader: str, name: str) -> dict[str, Any]:
    import duckdb

    progress(5, "reading")
    with _database(path) as database:
        try:
            options = ", format='auto'" if reader == "read_json" else ""
            database.execute(f"CREATE TABLE data AS SELECT * FROM {reader}(?{options})", [str(path)])  # noqa: S608 # nosec B608 - the reader is one of ours
            progress(60, "counting")
            rows = database.execute("SELECT count(*) FROM data").fetchall()[0][0]
            columns = [_column(database, name, kind) for name, kind, *_ in database.execute("DESCRIBE data").fetchall()]
        except duckdb.Error as error:
            raise Permanent(f"{name} could not be read: {_first_line(error).replace(str(path), name)}") from None
    progress(95, "done")
    return {"rows": rows, "columns": columns}


def _column(database: DuckDBPyConnection, name: str, kind: str) -> dict[str, Any]:
    """Exact figures: a summary that estimates would have to say so."""
    quoted = '"' + name.replace('"', '""') + '"'
    figures = f"count(*) - count({quoted}), count(DISTINCT {quoted}), min({quoted})::VARCHAR, max({quoted})::VARCHAR"
    nulls, distinct, least, greatest = database.execute(f"SELECT {figures} FROM data").fetchall()[0]  # noqa: S608 # nosec B608 - quoted
    column = {"name": name, "type": kind, "nulls": nulls, "distinct": distinct, "min": least, "max": greatest}
    return column | _spread(database, quoted) if NUMBER.fullmatch(kind) else column


def _spread(database: DuckDBPyConnection, quoted: str) -> dict[str, float | None]:
    """Average, deviation and quartiles; null where infinity or an overflow leaves none."""
    import duckdb

    figures = f"avg({quoted}), stddev_samp({quoted}), quantile_cont({quoted}::DOUBLE, [0.25, 0.5, 0.75])"
    try:
        avg, std, quartiles = database.execute(f"SELECT {figures} FROM data").fetchall()[0]  # noqa: S608 # nosec B608 - quoted
    except duckdb.OutOfRangeException:
        avg, std, quartiles = None, None, None
    values = (avg, std, *(quartiles or (None, None, None)))
    return dict(zip(("avg", "std", "q25", "q50", "q75"), map(_finite, values), strict=True))


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


@contextmanager
def _database(readable: Path) -> Iterator[DuckDBPyConnection]:
    """An empty database that can read one file and nothing else, and cannot be told otherwise."""
    import duckdb

    with tempfile.TemporaryDirectory() as scratch:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY_LIMIT,
            "threads": 2,
            "temp_directory": scratch,
        }
        database = duckdb.connect(config=config)
        database.execute("SET allowed_paths = ?", [[str(readable)]])
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            yield database
        finally:
            database.close()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
