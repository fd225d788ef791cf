"""In the child: how a text table is read, told from its content and tried on every row of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from . import dialects
from .calls import call, identifier, quoted
from .sources import Options, Refusal

SAMPLE = 1 << 18  # characters that tell the delimiter
SAMPLE_ROWS = 20_480  # that tell the types; all rows are looked at afterwards, for a larger sample is held in memory
MOST_SKIPPED = 10_000  # lines
UNCONVERTED = re.compile(r'Error when converting column "(.*)"\. Could not convert', re.DOTALL)
# A cast to these takes more than it keeps: 1.5 would become 2, and 1 true.
EXACTLY = {"BIGINT": r"\s*[+-]?\d+\s*", "BOOLEAN": "true|false"}
WIDER = {"BIGINT": "DOUBLE"}  # where a value does not fit; else text


def csv_table(database: DuckDBPyConnection, link: Path, kind: str, options: Options) -> tuple[str, Options]:
    with link.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        head = "".join(file.readlines(SAMPLE))
    if not head.strip():
        raise Refusal("is empty")
    options = _dialect(head, kind, options)
    if options.columns is None or options.header is None:
        options = _sniffed(database, link, head, options)
    return _table(link, options), options


def _dialect(head: str, kind: str, options: Options) -> Options:
    quote = '"' if options.quote is None else options.quote
    if len(options.delimiter or ",") != 1 or len(quote) > 1:
        raise Refusal("cannot be read so: a delimiter is one character, and a quote one or none")
    if options.decimal not in {None, ".", ","} or not 0 <= (options.skip or 0) <= MOST_SKIPPED:
        raise Refusal(
            f"cannot be read so: decimals follow a point or a comma, and {MOST_SKIPPED:,} lines may be skipped"
        )
    told = dialects.announced(head)
    usual = "\t" if kind == "tsv" else ","
    delimiter = options.delimiter or told or dialects.delimiter(head, quote) or usual
    skip = (1 if told else 0) if options.skip is None else options.skip
    return replace(options, quote=quote, delimiter=delimiter, skip=skip)


def _sniffed(database: DuckDBPyConnection, link: Path, head: str, options: Options) -> Options:
    """Columns, types, header and formats: guessed by DuckDB, then tried on every row, so that none is a surprise."""
    try:
        found = _sniff(database, link, replace(options, decimal=options.decimal or "."))
        if options.decimal is None and options.delimiter != "," and dialects.has_decimal_commas(head):
            comma = _sniff(database, link, replace(options, decimal=","))
            found = comma if _texts(comma) < _texts(found) else found
        return found if options.columns else _widened(database, link, found)
    except duckdb.Error:
        with link.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            odd = dialects.odd_row(file, options.delimiter or ",", options.quote or "", options.skip or 0)
        if not odd:
            raise
        raise Refusal(odd) from None


def _sniff(database: DuckDBPyConnection, link: Path, options: Options) -> Options:
    sniffed = call("sniff_csv", link, _arguments(options) | {"sample_size": SAMPLE_ROWS})
    wanted = "Columns, HasHeader, DateFormat, TimestampFormat, SkipRows"
    found = database.execute(f"SELECT {wanted} FROM {sniffed}").fetchone()  # noqa: S608 # nosec B608 - quoted
    assert found is not None
    columns, header, date_format, timestamp_format, skipped = found
    if skipped != options.skip:
        raise Refusal(f"has rows of different widths: only what follows row {skipped} fits together")
    return replace(
        options,
        columns=options.columns or tuple((each["name"], each["type"]) for each in columns),
        header=header if options.header is None else options.header,
        date_format=options.date_format or date_format,
        timestamp_format=options.timestamp_format or timestamp_format,
    )


def _widened(database: DuckDBPyConnection, link: Path, options: Options) -> Options:
    """With wider types for the columns where some value of the whole file does not fit."""
    columns = dict(options.columns or ())
    texts = _table(link, replace(options, columns=tuple((name, "VARCHAR") for name in columns)))
    options = replace(options, columns=tuple(exact(database, texts, columns).items()))
    while True:
        try:
            database.execute(f"SELECT count(COLUMNS(*)) FROM {_table(link, options)}")  # noqa: S608 # nosec B608 - quoted
        except duckdb.Error as error:
            found = UNCONVERTED.search(str(error))
            columns = dict(options.columns or ())
            if not found or columns.get(found[1], "VARCHAR") == "VARCHAR":
                raise
            columns[found[1]] = WIDER.get(columns[found[1]], "VARCHAR")
            options = replace(options, columns=tuple(columns.items()))
        else:
            return options


def exact(database: DuckDBPyConnection, texts: str, columns: dict[str, str]) -> dict[str, str]:
    """The columns, with wider types where a value of the table `texts` would be changed by its cast."""
    watched = [name for name, kind in columns.items() if kind in EXACTLY]
    if not watched:
        return columns
    tests = (
        f"bool_and(regexp_full_match({identifier(name)}, {quoted(EXACTLY[columns[name]])}, 'i'))" for name in watched
    )
    row = database.execute(f"SELECT {', '.join(tests)} FROM {texts}").fetchone()  # noqa: S608 # nosec B608 - quoted
    found = zip(watched, row or (), strict=True)
    return columns | {name: WIDER.get(columns[name], "VARCHAR") for name, fits in found if fits is False}


def _table(link: Path, options: Options) -> str:
    """The call that reads a text table with nothing left to guess."""
    return call("read_csv", link, _arguments(options) | {"auto_detect": False, "columns": dict(options.columns or ())})


def _texts(options: Options) -> int:
    return sum(kind == "VARCHAR" for _, kind in options.columns or ())


def _arguments(options: Options) -> dict[str, Any]:
    arguments = {
        "delim": options.delimiter,
        "quote": options.quote,
        "escape": options.quote,
        "skip": options.skip,
        "header": options.header,
        "dateformat": options.date_format,
        "timestampformat": options.timestamp_format,
        "decimal_separator": options.decimal,
    }
    return {name: value for name, value in arguments.items() if value is not None} | {"strict_mode": True}
