"""In the child: a view for each file of a query, with everything that DuckDB would guess settled beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from . import encodings, text_tables
from .calls import call, identifier, quoted
from .sources import FORMATS, Options, Refusal, Source

NAMED = {"BIGINT": "a whole number", "BOOLEAN": "true or false"}


def attach(database: DuckDBPyConnection, name: str, source: Source, link: Path) -> Options:
    """Make the view `name` of a file, and give back how it is read. Refusal when it cannot be read.

    `link` is a free relative path: statements and errors meet it in place of the file's own.
    """
    if source.format not in FORMATS:
        raise Refusal(f"is of no format that can be read: {', '.join(FORMATS)}")
    if not source.path.stat().st_size and not (source.format == "ndjson" and source.options.columns):
        raise Refusal("is empty")
    options = source.options
    if source.format == "parquet":
        link.symlink_to(source.path)
        table = f"read_parquet({quoted(link)})"
    else:
        options = replace(options, encoding=_place(source, link))
        reader = _json if source.format in {"json", "ndjson"} else text_tables.csv_table
        table, options = reader(database, link, source.format, options)
    database.execute(f"CREATE VIEW {identifier(name)} AS SELECT * FROM {table}")  # noqa: S608 # nosec B608 - quoted
    return options


def retype(
    database: DuckDBPyConnection, name: str, kind: str, link: Path, options: Options, types: dict[str, str]
) -> Options:
    """Make the view `name` again with DuckDB's `types` for some columns. Refusal where that would change a value."""
    columns = dict(options.columns or ())
    if unknown := sorted(types.keys() - columns.keys()):
        raise Refusal(f"has no column called {unknown[0]!r}")
    reader = _json if kind in {"json", "ndjson"} else text_tables.csv_table
    texts, _ = reader(database, link, kind, replace(options, columns=tuple((name, "VARCHAR") for name in columns)))
    columns |= types
    changed = [each for each, wider in text_tables.exact(database, texts, columns).items() if wider != columns[each]]
    if changed:
        raise Refusal(f"holds a value in {changed[0]!r} that is not {NAMED[columns[changed[0]]]}")
    table, options = reader(database, link, kind, replace(options, columns=tuple(columns.items())))
    database.execute(f"CREATE OR REPLACE VIEW {identifier(name)} AS SELECT * FROM {table}")  # noqa: S608 # nosec B608 - quoted
    return options


def _place(source: Source, link: Path) -> str:
    """Put the file, or a copy in UTF-8, at `link`; give back the encoding it is in."""
    encoding = source.options.encoding or encodings.detect(source.path)
    if encoding == "utf-8" or (encoding == "utf-8-sig" and source.format in {"csv", "tsv"}):
        link.symlink_to(source.path)
    else:
        encodings.to_utf8(source.path, encoding, link)
    return encoding


def _json(database: DuckDBPyConnection, link: Path, kind: str, options: Options) -> tuple[str, Options]:
    base: dict[str, Any] = {"format": "newline_delimited" if kind == "ndjson" else "auto"}
    columns = options.columns or _described(database, call("read_json", link, base | {"sample_size": -1}))
    if [name for name, _ in columns] != ["json"]:  # the column of values that are no objects
        base["columns"] = dict(columns)
    return call("read_json", link, base), replace(options, columns=columns)


def _described(database: DuckDBPyConnection, table: str) -> tuple[tuple[str, str], ...]:
    rows = database.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608 # nosec B608 - quoted
    return tuple((str(row[0]), str(row[1])) for row in rows)
