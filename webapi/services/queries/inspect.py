"""A look into a file before a statement is written: its columns, how it was read, and its first rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits, Options, Source

NAME = "data"  # what sentences about the file call it


@dataclass(frozen=True)
class Preview:
    """The first rows, and how the file was read: options that are handed in again, corrected, are obeyed."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Any, ...]]
    options: Options
    total: int | None


def columns_of(source: Source, limits: Limits, *, folder: Path) -> list[tuple[str, str]]:
    """Names and types, told from the whole file. Permanent when it cannot be read."""
    return preview(source, 1, limits=limits, folder=folder).columns


def preview(source: Source, n: int = 50, *, limits: Limits, folder: Path, count: bool = False) -> Preview:
    """The first `n` rows, and with `count` the number of all. Permanent when the file cannot be read."""
    few = replace(limits, rows=n)
    with query(f"FROM {NAME}", {NAME: source}, {}, limits=few, folder=folder) as result:
        rows, options = list(result.rows), result.options[NAME]
    total = _count(replace(source, options=options), limits, folder) if count else None
    return Preview(result.columns, rows, options, total)


def _count(source: Source, limits: Limits, folder: Path) -> int:
    with query(f"SELECT count(*) FROM {NAME}", {NAME: source}, {}, limits=limits, folder=folder) as result:  # noqa: S608 # nosec B608 - constant
        return int(next(result.rows)[0])
