"""Run a statement over files in a child that can read those and nothing else, and hand on its rows as they come."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from webapi.errors import Fault, Invalid, Permanent
from webapi.services.queries.blocks import Packed, unpacked
from webapi.services.queries.process import Frame, running
from webapi.services.queries.sources import Limits, Options, Source
from webapi.services.tables.delimited import KINDS

NAMES = Limits(memory_bytes=128 << 20, seconds=10.0, temp_bytes=0)
Reader = Callable[[Sequence[Any]], list[Any]]


@dataclass
class Result:
    """What a statement gives. `rows` can be walked once; after its end `truncated` says why there is no more, or None.

    `columns` are (name, type) with the types text, integer, number, boolean, date and datetime. A number is a float or,
    when DuckDB's is a decimal, a Decimal; dates that Python does not know (before year 1, infinity) come as text,
    nested values as JSON, bytes as hexadecimal digits. `options` say how each file was read. `blocks` are there instead
    of rows for who has asked for texts: those of DuckDB, with None for null. `floats` tells which numbers are floats.
    """

    columns: list[tuple[str, str]]
    options: dict[str, Options]
    rows: Iterator[tuple[Any, ...]]
    truncated: str | None = field(default=None)
    blocks: Iterator[Packed] | None = field(default=None)
    floats: list[bool] = field(default_factory=list)


@contextmanager
def query(
    sql: str,
    datasets: Mapping[str, Source],
    values: Mapping[str, Any],
    *,
    limits: Limits,
    folder: Path,
    tick: Callable[[], None] = lambda: None,
    timezone: str = "UTC",
    texts: bool = False,
) -> Iterator[Result]:
    """Run one statement that reads. Permanent, with a sentence, when it cannot be run or does not end in time.

    The child and its scratch, a new folder in `folder`, are gone at the end of the block. When this process is
    killed the kernel ends the child; the scratch goes with whoever clears `folder`. The thread that enters must live
    until the end: the kernel ends the child when it does. `tick` is called twice a second while somebody waits for
    rows, and may raise. In the statement a day begins as in `timezone`, an IANA zone.
    """
    _look(datasets)
    with tempfile.TemporaryDirectory(prefix="query-", dir=folder, ignore_cleanup_errors=True) as scratch:
        request = {
            "task": "query",
            "texts": texts,
            "sql": sql,
            "timezone": timezone,
            "sources": {name: source.dump() for name, source in datasets.items()},
            "values": {name: _sent(value) for name, value in values.items()},
            "scratch": str(Path(scratch).resolve()),
        }
        with running(request, limits, tick) as frames:
            _, head = next(frames)
            options = {name: Options.load(options) for name, options in head["options"].items()}
            result = read_frames(head["columns"], options, frames)
            if texts:
                result.blocks = _blocks(frames, len(result.columns), result)
            yield result


@dataclass(frozen=True)
class Names:
    """What a statement names: its placeholders without their `$`, and its tables, those of WITH left out."""

    parameters: frozenset[str]
    tables: frozenset[str]


def named(sql: str) -> Names:
    """What a statement names, as DuckDB's parser finds it. Invalid when it is not one SELECT."""
    try:
        with running({"task": "names", "sql": sql}, NAMES, lambda: None) as frames:
            _, found = next(frames)
            return Names(frozenset(found["parameters"]), frozenset(found["tables"]))
    except Permanent as error:
        raise Invalid(faults=(Fault("/sql", error.message),)) from None


def _look(datasets: Mapping[str, Source]) -> None:
    for name, source in datasets.items():
        try:
            with source.path.open("rb") as file:
                head = file.read(8)
        except OSError:
            raise Permanent(f"{name}: the file is not there.") from None
        kind = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), None)
        if kind and source.format != "parquet":
            raise Permanent(f"{name}: the file is called {source.format} but holds {kind}.")


def read_frames(columns: Sequence[Sequence[str]], options: dict[str, Options], frames: Iterator[Frame]) -> Result:
    """What comes in frames, with its values as they were: `columns` are (name, type, DuckDB's type)."""
    result = Result([(name, kind) for name, kind, _ in columns], options, iter(()))
    result.floats = [real in ("DOUBLE", "FLOAT") for _, _, real in columns]
    result.rows = _rows(frames, [_reader(kind, real) for _, kind, real in columns], result)
    return result


def _rows(frames: Iterator[Frame], readers: list[Reader | None], result: Result) -> Iterator[tuple[Any, ...]]:
    for kind, value in frames:
        if kind == b"E":
            result.truncated = value
            return
        if not any(readers):
            yield from map(tuple, value)
            continue
        columns = zip(readers, zip(*value, strict=True), strict=True)
        yield from zip(*(reader(cells) if reader else cells for reader, cells in columns), strict=True)


def _blocks(frames: Iterator[Frame], width: int, result: Result) -> Iterator[Packed]:
    for kind, value in frames:
        if kind == b"E":
            result.truncated = value
            return
        try:
            yield unpacked(value, width)
        except (ValueError, TypeError, LookupError):
            raise Permanent("The query's process broke off.") from None


def _reader(kind: str, real: str) -> Reader | None:
    """What turns the values of a column from JSON's into Python's."""
    makers: dict[str, Callable[[str], Any]] = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
    make = Decimal if kind == "number" and real.startswith("DECIMAL") else makers.get(kind)
    return partial(_made, make) if make else None


def _made(make: Callable[[str], Any], cells: Sequence[str | None]) -> list[Any]:
    try:
        return [None if cell is None else make(cell) for cell in cells]
    except ValueError:  # a date that Python does not know
        return [_kept(make, cell) for cell in cells]


def _kept(make: Callable[[str], Any], cell: str | None) -> Any:
    try:
        return None if cell is None else make(cell)
    except ValueError:
        return cell


def _sent(value: Any) -> tuple[str, str | None]:
    """A parameter's value with its kind, for READ in child.py."""
    if value is None:
        return "null", None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | date):
        raise TypeError(f"no parameter is a {type(value).__name__}")
    kinds = ((datetime, "datetime"), (date, "date"), (Decimal, "number"), (int, "integer"))
    kind = next((name for type_, name in kinds if isinstance(value, type_)), "text")
    return kind, value.isoformat() if isinstance(value, date) else str(value)
