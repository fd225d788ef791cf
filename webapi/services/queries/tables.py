"""A file as a table of its own: read to its end in the child, and kept as Parquet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapi.errors import Permanent, Transient
from webapi.services.queries.process import running
from webapi.services.queries.sources import Limits, Options, Source

# DuckDB's type for each that people know.
TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}
KEPT = "table.parquet"  # as in keeping.py
POSITION = re.compile(r' in file "the file"|, in record/value \d+| in record/value \d+')


@dataclass(frozen=True)
class Table:
    """What is in a file. `columns` are names and types as people know them, `first` its first rows, cells cut short.

    `path` holds all of it as Parquet, and `options` say how it was read.
    """

    path: Path
    columns: list[tuple[str, str]]
    rows: int
    first: list[list[Any]]
    options: Options


def store(
    source: Source,
    types: Mapping[str, str],
    *,
    limits: Limits,
    folder: Path,
    tell: Callable[[float], None],
) -> Table:
    """Write a file's rows into `folder` as Parquet. Permanent, with a sentence, when it cannot be read as it is.

    `types` are names of columns with keys of TYPES, for those that are to be read otherwise than they look.
    `tell` hears twice a second how many percent are done, and may raise: then the child is ended.
    """
    request = {
        "task": "keep",
        "source": source.dump(),
        "types": {name: TYPES[kind] for name, kind in types.items()},
        "scratch": str(folder.resolve()),
    }
    done = 0.0

    def tick() -> None:
        tell(done)

    try:
        with running(request, limits, tick) as frames:
            for kind, value in frames:
                if kind == b"T":
                    columns = [(name, of) for name, of, _ in value["columns"]]
                    options = Options.load(value["options"])
                    return Table(folder / KEPT, columns, value["rows"], value["first"], options)
                done = float(value)
                tick()
    except (Permanent, Transient) as error:
        raise type(error)(_about_the_file(error.message)) from None
    raise AssertionError("frames end with an error")


def _about_the_file(sentence: str) -> str:
    """What the child says of a query, said of a file."""
    sentence = POSITION.sub("", sentence)
    said = sentence.replace("The query failed: ", "The file could not be read: ", 1)
    said = said.replace("The query's process", "The process that reads the file", 1)
    return said.replace("The query", "Reading the file", 1)
