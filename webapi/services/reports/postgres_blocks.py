"""Rows of PostgreSQL as they come over the wire: blocks of texts, and the server works ahead by one block."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from webapi.services.formats.texts import Block, Texts
from webapi.services.reports.postgres_texts import Converter

FIRST, MOST = 50, 5000  # rows that travel together, at first and at the most
FRAME = 1 << 20  # bytes; a block is about so large
TICK = 0.5  # seconds


def blocks(
    connection: psycopg.Connection[Any],
    cursor: str,
    converters: Sequence[Converter],
    tick: Callable[[], None],
) -> Generator[Block, None, None]:
    """The rows of a cursor that is open. `tick` is called twice a second while they are waited for, and may raise.

    The next rows are asked for before these are handed on, so that both sides work at once. Raises psycopg's errors.
    """
    server, size = connection.pgconn, FIRST
    try:
        _ask(server, cursor, size)
        while rows := (result := _answer(server, tick)).ntuples:
            size = min(2 * size, MOST, max(1, FRAME // _bytes(result)))
            _ask(server, cursor, size)
            yield Block([_column(result, *pair) for pair in enumerate(converters)], rows)
    finally:
        if server.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=TICK)


def _column(result: PGresult, number: int, converter: Converter) -> Texts:
    value, rows = result.get_value, range(result.ntuples)
    if converter.nullable:
        return converter.convert([value(row, number) for row in rows])
    return converter.convert([value(row, number) or b"" for row in rows])


def _ask(server: PGconn, cursor: str, size: int) -> None:
    server.send_query_params(f'FETCH FORWARD {size} FROM "{cursor}"'.encode(), None)
    while server.flush():
        select.select([], [server.socket], [], TICK)


def _answer(server: PGconn, tick: Callable[[], None]) -> PGresult:
    poll, told = select.poll(), time.monotonic()
    poll.register(server.socket, select.POLLIN)
    found: list[PGresult] = []
    while True:
        while server.is_busy():
            if time.monotonic() - told >= TICK:
                tick()
                told = time.monotonic()
            if poll.poll(TICK * 1000):
                server.consume_input()
        result = server.get_result()
        if result is None:
            break
        found.append(result)
    if found[0].status != ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(found[0])
    return found[0]


def _bytes(result: PGresult) -> int:
    """About how much memory the last row takes."""
    last = result.ntuples - 1
    return 64 + sum(len(result.get_value(last, each) or b"") for each in range(result.nfields))
