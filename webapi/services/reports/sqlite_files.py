"""A SQLite file as a source: opened read-only, and with an authorizer that lets nothing but reading through."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from webapi.services.formats import Block, Column, Row
from webapi.services.reports.fetching import Failed, Unreachable, told

READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
LARGEST = 1 << 20  # bytes of one value, and of the statement
PATTERN = 100  # bytes of a LIKE; matching a long one cannot be interrupted
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def opened(url: URL, sql: str, values: Mapping[str, Any], timezone: str) -> Iterator[_Cursor]:
    """A cursor for the statement; SQLite knows no time zones. Raises Unreachable when there is no such file."""
    address = Path(url.database or "").absolute().as_uri() + "?mode=ro"
    try:
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error:
        raise Unreachable from None
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN)
        connection.set_authorizer(_only_reading)
        yield _Cursor(connection, sql, values)
    finally:
        connection.close()


def _only_reading(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY


class _Cursor:
    gives_blocks = False

    def __init__(self, connection: sqlite3.Connection, sql: str, values: Mapping[str, Any]) -> None:
        self._connection, self._sql = connection, sql
        self._values = {name: _bound(value) for name, value in values.items()}
        self._cursor = connection.cursor()

    def execute(self) -> None:
        try:
            self._cursor.execute(self._sql, self._values)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise _named(error) from None
        if self._cursor.description is None:
            raise Failed("only a statement that reads can be run")

    def fetch(self, count: int) -> list[Row]:
        try:
            rows = self._cursor.fetchmany(count)
        except sqlite3.Error as error:
            raise _named(error) from None
        return [tuple(told(each) if type(each) is bytes else each for each in row) for row in rows]

    def blocks(self, tick: Callable[[], None]) -> Generator[Block, None, None]:
        raise NotImplementedError

    def names(self) -> list[str]:
        return [column[0] for column in self._cursor.description]

    def columns(self) -> list[Column] | None:
        return None  # a column of SQLite holds what it is given

    def cancel(self) -> None:
        self._connection.interrupt()


def _named(error: Exception) -> Exception:
    """Somebody else's lock passes; what is wrong with a statement does not."""
    return Unreachable() if getattr(error, "sqlite_errorcode", None) in BUSY else Failed(str(error))


def _bound(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
