"""Run a statement over files in a child that can read those and nothing else, and hand on its rows as they come."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess  # nosec B404 - the child is our own program
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from webapi.errors import Fault, Invalid, Permanent
from webapi.services.queries.sources import Limits, Options, Source
from webapi.services.tables.delimited import KINDS

# The child's package is this folder under a name of its own: `webapi` would bring Flask and seconds of start.
BOOT = """
import sys, types
package = sys.modules["queries"] = types.ModuleType("queries")
package.__path__ = [sys.argv[1]]
from queries import child
child.main()
"""
# With the allocator's usual eight arenas for each core, the address space would be used up by reservations.
ENVIRONMENT = {"LANG": "C.UTF-8", "TZ": "UTC", "MALLOC_ARENA_MAX": "2"}
LONGEST_FRAME = 1 << 26  # bytes, as in child.py: a child that was taken over cannot fill our memory
BLOCK = 1 << 18  # bytes; as long as most frames
NAMES = Limits(memory_bytes=128 << 20, seconds=10.0, temp_bytes=0)
Frame = tuple[bytes, Any]
Reader = Callable[[Sequence[Any]], list[Any]]


@dataclass
class Result:
    """What a statement gives. `rows` can be walked once; after its end `truncated` says why there is no more, or None.

    `columns` are (name, type) with the types text, integer, number, boolean, date and datetime. A number is a float or,
    when DuckDB's is a decimal, a Decimal; dates that Python does not know (before year 1, infinity) come as text,
    nested values as JSON, bytes as hexadecimal digits. `options` say how each file was read.
    """

    columns: list[tuple[str, str]]
    options: dict[str, Options]
    rows: Iterator[tuple[Any, ...]]
    truncated: str | None = field(default=None)


@contextmanager
def query(
    sql: str, datasets: Mapping[str, Source], values: Mapping[str, Any], *, limits: Limits, folder: Path
) -> Iterator[Result]:
    """Run one statement that reads. Permanent, with a sentence, when it cannot be run or does not end in time.

    The child and its scratch, a new folder in `folder`, are gone at the end of the block. When this process is
    killed the kernel ends the child; the scratch goes with whoever clears `folder`. The thread that enters must live
    until the end: the kernel ends the child when it does.
    """
    _look(datasets)
    with tempfile.TemporaryDirectory(prefix="query-", dir=folder, ignore_cleanup_errors=True) as scratch:
        request = {
            "task": "query",
            "sql": sql,
            "sources": {name: source.dump() for name, source in datasets.items()},
            "values": {name: _sent(value) for name, value in values.items()},
            "scratch": str(Path(scratch).resolve()),
        }
        with _child(request, limits) as frames:
            _, head = next(frames)
            result = Result(
                [(name, kind) for name, kind, _ in head["columns"]],
                {name: Options.load(options) for name, options in head["options"].items()},
                iter(()),
            )
            result.rows = _rows(frames, [_reader(kind, real) for _, kind, real in head["columns"]], result)
            yield result


def names_in(sql: str) -> set[str]:
    """The placeholders `$name` of a statement, as DuckDB's parser finds them. Invalid when it is not one SELECT."""
    try:
        with _child({"task": "names", "sql": sql}, NAMES) as frames:
            return set(next(frames)[1])
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


@contextmanager
def _child(request: dict[str, Any], limits: Limits) -> Iterator[Iterator[Frame]]:
    """The frames of a new child, which is gone at the end of the block, and with it whatever it started."""
    command = [sys.executable, "-I", "-c", BOOT, str(Path(__file__).parent)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **pipes, env=ENVIRONMENT, cwd="/", process_group=0)  # type: ignore[call-overload] # noqa: S603 # nosec B603
    try:
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(json.dumps(request | {"limits": asdict(limits), "parent": os.getpid()}).encode())
        yield _frames(process, limits)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


def _frames(process: subprocess.Popen[bytes], limits: Limits) -> Iterator[Frame]:
    assert process.stdout is not None
    held, left, pipe = bytearray(), limits.seconds, process.stdout.fileno()
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        began = time.monotonic()
        if not poll.poll(max(left, 0) * 1000):
            raise Permanent(f"The query took longer than the {limits.seconds:g} seconds that it may take.")
        left -= time.monotonic() - began
        block = os.read(pipe, BLOCK)
        if not block:
            raise Permanent(_epitaph(process.wait(), limits))
        held += block
        while len(held) >= 5 and len(held) >= (end := 5 + int.from_bytes(held[1:5], "big")):
            kind, value = bytes(held[:1]), json.loads(held[5:end])
            if kind == b"X":
                raise Permanent(value)
            yield kind, value
            del held[:end]
        if len(held) > LONGEST_FRAME + BLOCK:
            raise Permanent("The query's process broke off.")


def _epitaph(status: int, limits: Limits) -> str:
    if status == -signal.SIGXCPU:
        return f"The query took more work than the {limits.seconds:g} seconds that it may take hold."
    if status == -signal.SIGKILL:
        return "The query's process was killed, most likely because the machine ran out of memory."
    return f"The query's process broke off ({signal.Signals(-status).name if status < 0 else status})."


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
