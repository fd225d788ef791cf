"""Rows of a cursor, fetched by a thread of their own, so that waiting for them can end at any moment."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webapi.services.formats import Row
from webapi.services.reports.fetching import Cursor

FIRST_BATCH, BATCH = 50, 2000  # rows that travel together, at first and at the most
FRAME = 1 << 20  # bytes; a batch is about so large
AHEAD = 4  # batches that wait to be used
TICK = 0.5  # seconds


@contextmanager
def fetched_ahead(cursor: Cursor, tick: Callable[[], None]) -> Iterator[Iterator[list[Row]]]:
    """Its batches. `tick` is called twice a second while they are waited for, and may raise."""
    waiting: queue.Queue[list[Row] | Exception | None] = queue.Queue(AHEAD)
    left = threading.Event()

    def hand(item: list[Row] | Exception | None) -> None:
        while not left.is_set():
            try:
                waiting.put(item, timeout=TICK)
            except queue.Full:
                continue
            return

    def fetch() -> None:
        try:
            cursor.execute()
            size = FIRST_BATCH
            while not left.is_set() and (rows := cursor.fetch(size)):
                hand(rows)
                size = min(2 * size, BATCH, max(1, FRAME // _bytes(rows[-1])))
            hand(None)
        except Exception as error:  # noqa: BLE001 - it is raised again where the rows are used
            hand(error)

    thread = threading.Thread(target=fetch, name="report source", daemon=True)
    thread.start()
    try:
        yield _received(waiting, tick)
    finally:
        left.set()
        if thread.is_alive():
            cursor.cancel()
        thread.join(10)


def _bytes(row: Row) -> int:
    """About how much memory a row takes."""
    return 64 + sum(len(value) if isinstance(value, str) else 16 for value in row)


def _received(waiting: queue.Queue[list[Row] | Exception | None], tick: Callable[[], None]) -> Iterator[list[Row]]:
    while True:
        try:
            item = waiting.get(timeout=TICK)
        except queue.Empty:
            tick()
            continue
        if item is None:
            return
        if isinstance(item, Exception):
            raise item
        yield item
