"""Threads whose items are dealt with together, by one of them, while the others wait: flat combining.

D. Hendler, I. Incze, N. Shavit and M. Tzafrir, "Flat combining and the synchronization-parallelism tradeoff", 2010.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
MOST = 256  # items that are dealt with at once


class _Place(Generic[Item]):
    """Where a thread waits: until its item was dealt with, or until it is its turn to deal with those that wait."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.over = False
        self.woken = threading.Event()


class Combining(Generic[Item]):
    """`deal` takes the items that gathered while it was dealing with the ones before; nobody waits for more to come.

    `conclude` does for them what must not keep the next ones waiting. What becomes of an item is written into it: when
    `deal` raises, that is the error of the thread in which it did, and the others find their items as they were.
    """

    def __init__(self, deal: Callable[[list[Item]], None], conclude: Callable[[list[Item]], None]) -> None:
        self._deal, self._conclude = deal, conclude
        self._lock = threading.Lock()
        self._waiting: list[_Place[Item]] = []
        self.busy = False

    @property
    def waiting(self) -> int:
        """How many items wait for the ones that are being dealt with."""
        return len(self._waiting)

    def put(self, item: Item) -> None:
        """Returns when the item was dealt with and concluded."""
        mine = _Place(item)
        with self._lock:
            self._waiting.append(mine)
            first, self.busy = not self.busy, True
        if not first:
            mine.woken.wait()
        if not mine.over:
            self._lead(mine)

    def _lead(self, mine: _Place[Item]) -> None:
        """Mine is the first that waits, so it is among those that are dealt with."""
        with self._lock:
            places, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        items = [place.item for place in places]
        try:
            try:
                self._deal(items)
            finally:
                self._let_go()
            self._conclude(items)
        finally:
            for place in places:
                place.over = True
                if place is not mine:
                    place.woken.set()

    def _let_go(self) -> None:
        with self._lock:
            self.busy = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()
