"""Statements over configured databases: read-only by their own means, streamed, and left at once when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from flask import current_app
from sqlalchemy import URL, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from structlog import get_logger

from webapi.errors import ConfigError, Permanent, Transient
from webapi.services.formats import Block, Column, Row, Type
from webapi.services.formats.ticking import while_ticking
from webapi.services.reports import postgres, sqlite_files
from webapi.services.reports.ahead import fetched_ahead
from webapi.services.reports.fetching import Cursor, Failed, Unreachable

INFERRED = 1000  # rows that tell the types where the database has none

DIALECTS = {"postgresql": postgresql.dialect(paramstyle="pyformat"), "sqlite": sqlite.dialect(paramstyle="named")}  # type: ignore[no-untyped-call]
OPEN: dict[str, Callable[..., Any]] = {"postgresql": postgres.opened, "sqlite": sqlite_files.opened}

log = get_logger()


@dataclass
class Fetched:
    """What a statement gives: its columns, and its rows, which can be walked once, as rows or in blocks."""

    columns: list[Column]
    rows: Iterator[Row]
    blocks: Iterator[Block] | None = None


def url_of(name: str) -> URL:
    """Where a configured source is. Raises Permanent when it is configured no more."""
    sources: dict[str, str] = current_app.config["REPORT_SOURCES"]
    if name not in sources:
        raise Permanent(f"There is no source called {name!r} any more: REPORT_SOURCES does not name it.")
    return make_url(sources[name])


def placeholders(sql: str) -> frozenset[str]:
    """The `:name` of a statement, as SQLAlchemy reads it: not `::casts`, and not what follows a backslash."""
    return frozenset(text(sql)._bindparams)


def check_all() -> None:
    """Look at every configured database before reports read it. ConfigError for a role that may do more than read, and
    for a database that cannot be asked.

    One that is away is no error: it may come back, and each build looks again.
    """
    for name in current_app.config["REPORT_SOURCES"]:
        try:
            powers = powers_of(name)
        except Unreachable:
            log.warning("report source cannot be reached", source=name)
            continue
        if powers:
            raise ConfigError(
                f"REPORT_SOURCES: the role of {name!r} {powers}. Give it one that may SELECT and nothing else."
            )


def powers_of(name: str) -> str | None:
    """What a source's role may do besides reading, as the end of a sentence. Raises Unreachable.

    Raises ConfigError, with the database's own words, when it cannot be asked: its URL or its server is not right.
    """
    url = url_of(name)
    try:
        if url.get_backend_name() == "postgresql":
            return postgres.powers(url)
        with sqlite_files.opened(url, "SELECT 1", {}, "UTC"):
            return None
    except Failed as error:
        raise ConfigError(f"REPORT_SOURCES: {name!r} cannot be used: {_sentence(error)}") from None


@contextmanager
def fetched(
    name: str, sql: str, values: Mapping[str, Any], timezone: str, tick: Callable[[], None], *, in_blocks: bool = False
) -> Iterator[Fetched]:
    """Run one statement that reads. `tick` is called twice a second while rows are waited for, and may raise.

    With `in_blocks`, whoever asks takes blocks where the database can give them.

    Raises Permanent, with the database's own words, for a statement that fails, and Transient when the
    database cannot be reached.
    """
    url = url_of(name)
    backend = url.get_backend_name()
    given = {placeholder: values[placeholder.lower()] for placeholder in placeholders(sql)}
    try:
        compiled = text(sql).compile(dialect=DIALECTS[backend])
        with OPEN[backend](url, str(compiled), given, timezone) as cursor:
            yield from _blocks(cursor, tick) if in_blocks and cursor.gives_blocks else _rows(cursor, tick)
    except Unreachable:
        raise Transient(f"The database {name!r} cannot be reached.") from None
    except Failed as error:
        raise Permanent(f"The statement failed: {_sentence(error)}") from None


def _blocks(cursor: Cursor, tick: Callable[[], None]) -> Iterator[Fetched]:
    while_ticking(cursor.execute, tick, cursor.cancel)
    with closing(cursor.blocks(tick)) as blocks:  # leaving ends the statement
        yield Fetched(_columns(cursor, []), iter(()), blocks)


def _rows(cursor: Cursor, tick: Callable[[], None]) -> Iterator[Fetched]:
    with fetched_ahead(cursor, tick) as batches:
        first = next(batches, [])
        yield Fetched(_columns(cursor, first), chain(first, chain.from_iterable(batches)))


def _columns(cursor: Cursor, first: list[Row]) -> list[Column]:
    """Names as the statement has them, and types from the database or, where it has none, from the first rows."""
    names = cursor.names()
    return cursor.columns() or list(map(Column, names, _inferred(first[:INFERRED], len(names))))


def _inferred(rows: list[Row], width: int) -> list[Type]:
    return [_kind({type(row[position]) for row in rows} - {type(None)}) for position in range(width)]


def _kind(kinds: set[type]) -> Type:
    # Whole numbers are no promise that the next one is: SQLite keeps 10.00 as 10.
    return "number" if kinds and kinds <= {int, float} else "text"


def _sentence(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0][:400].rstrip(" .")
    return f"{said}."
