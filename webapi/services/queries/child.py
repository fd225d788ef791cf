"""The program of the child: one SELECT over some files, locked in, its rows as frames on standard output.

`run.py` starts it with a package of this folder alone, for `webapi` itself would bring Flask and our settings.
A request is one JSON object on standard input. A frame is a letter, four bytes of length, and JSON:
C columns and how the files were read, R rows, E the end (null or why there is no more), X an error, N names,
P percent that are done, T a table that was kept. B is rows as texts, and not JSON but as `blocks.py` has them.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from . import blocks, errors, keeping, reading, statements
from .sources import Limits, Refusal, Source

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # <linux/prctl.h>
PROCESS_BYTES = 768 << 20  # Python, the library, the stacks of its threads, and rows on their way
THREADS = 2
FRAME = 1 << 18  # bytes; a frame is about so long
LONGEST_FRAME = 1 << 26  # bytes; one row may be so long
MOST_ROWS = 5_000  # in a frame
READ: Mapping[str, Any] = {
    "null": lambda _: None,
    "integer": int,
    "number": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def main() -> None:
    request = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # nothing but frames may come out there
    limits = Limits(**request["limits"])
    _confine(limits, request["parent"])
    names: dict[str, str] = {}
    try:
        if request["task"] == "names":
            frame(out, b"N", statements.names(statements.single(request["sql"])))
        elif request["task"] == "keep":
            _keep(out, request, limits, names)
        else:
            _query(out, request, limits, names)
    except (Refusal, duckdb.Error, MemoryError, OSError, RuntimeError, UnicodeError) as error:
        frame(out, b"X", errors.sentence(error, names, limits))


def frame(out: BinaryIO, kind: bytes, value: Any) -> int:
    """Write one, and give back its length in bytes. Refusal when it is too long."""
    return _send(out, kind, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _send(out: BinaryIO, kind: bytes, body: bytes) -> int:
    if len(body) > LONGEST_FRAME:
        raise Refusal(f"A row is larger than {LONGEST_FRAME >> 20} MB.")
    left = memoryview(kind + len(body).to_bytes(4, "big") + body)
    while left:
        left = left[out.write(left) :]
    return len(body)


def _confine(limits: Limits, parent: int) -> None:
    """Give up what a query does not need, before anything of a stranger is read."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with contextlib.suppress(OSError):  # when memory runs out, this one goes and the worker stays
            Path("/proc/self/oom_score_adj").write_text("1000")
        _limit(resource.RLIMIT_AS, limits.memory_bytes + PROCESS_BYTES)
    if os.getppid() != parent:  # it died before the kernel knew that we want to hear of it
        sys.exit(1)
    _limit(resource.RLIMIT_CPU, int(limits.seconds * THREADS) + 2)
    _limit(resource.RLIMIT_NOFILE, 256)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))


def _query(out: BinaryIO, request: dict[str, Any], limits: Limits, names: dict[str, str]) -> None:
    os.chdir(request["scratch"])
    names[request["scratch"]] = "the scratch folder"
    statement = statements.single(request["sql"])
    values = {name: READ.get(kind, str)(text) for name, (kind, text) in request["values"].items()}
    chosen = statements.chosen(statement, values)
    database = _open(limits)
    detected = _attach(database, request["sources"], names)
    statements.check(database, statement)
    database.execute("SET TimeZone = ?", [request["timezone"]])
    _lock(database, [link for link in names if link.startswith("data-")], limits)
    columns, running = statements.run(database, statement, chosen, texts=request["texts"])
    frame(out, b"C", {"columns": columns, "options": detected})
    write = _write_block if request["texts"] else _write_rows
    frame(out, b"E", _stream(partial(write, out), running, limits.rows))


def _keep(out: BinaryIO, request: dict[str, Any], limits: Limits, names: dict[str, str]) -> None:
    os.chdir(request["scratch"])
    source = Source.load(request["source"])
    names |= {f"data-1.{source.format}": "the file", str(source.path): "the file", keeping.KEPT: "the table"}
    database = _open(limits)
    database.execute("SET TimeZone = 'UTC'")
    with keeping.telling(database, partial(frame, out, b"P")):
        kept = keeping.keep(database, source, request["types"], partial(_lock, database, limits=limits))
    frame(out, b"T", kept)


def _open(limits: Limits) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{limits.memory_bytes}B",
        "threads": THREADS,
        "async_threads": 1,
        "temp_directory": "spill" if limits.temp_bytes else "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
        "secret_directory": "none",  # nosec B105 - a folder that is not there
        "python_enable_replacements": False,
    }
    if limits.temp_bytes:
        config["max_temp_directory_size"] = f"{limits.temp_bytes}B"
    return duckdb.connect(config=config)


def _attach(database: duckdb.DuckDBPyConnection, sources: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A view for each file. A Refusal's sentence begins with the name of the file's table."""
    detected = {}
    for index, (name, values) in enumerate(sources.items(), 1):
        source, link = Source.load(values), Path(f"data-{index}.{values['format']}")
        names |= {str(link): name, str(source.path): name}
        try:
            detected[name] = vars(reading.attach(database, name, source, link))
        except Refusal as refusal:
            raise Refusal(f"{name}: the file {refusal}.") from None
        except duckdb.Error as error:
            raise Refusal(f"{name} could not be read: {errors.reason(error, names)}") from None
    return detected


def _lock(database: duckdb.DuckDBPyConnection, links: list[str], limits: Limits) -> None:
    """From here on the files of the query can be read, and nothing else; nor can that be changed."""
    _limit(resource.RLIMIT_FSIZE, limits.temp_bytes)
    database.execute("SET allowed_paths = ?", [links])
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    database.execute("BEGIN TRANSACTION READ ONLY")


def _write_rows(out: BinaryIO, rows: list[Any]) -> int:
    return frame(out, b"R", rows)


def _write_block(out: BinaryIO, rows: list[Any]) -> int:
    return _send(out, b"B", blocks.packed(rows)) if rows else 1


def _stream(write: Callable[[list[Any]], int], running: duckdb.DuckDBPyConnection, most: int) -> str | None:
    """Write the rows, so many at a time that a frame is about FRAME bytes long."""
    size, left = 50, most
    while rows := running.fetchmany(min(size, left + 1)):
        length = write(rows[:left])
        if len(rows) > left:
            return f"Only the first {most:,} rows are here: a query may have no more."
        left -= len(rows)
        size = max(1, min(MOST_ROWS, 2 * size, size * FRAME // length))
    return None


if __name__ == "__main__":
    main()
