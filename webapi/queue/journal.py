"""What an attempt says while it runs: the first lines and the last, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_LINES = 200
MOST_BYTES = 64 * 1024
LONGEST_LINE = 2000  # characters


@dataclass(frozen=True)
class Line:
    """One line; `cut` says that its end is missing."""

    at: float
    level: str
    logger: str
    text: str
    cut: bool = False

    @property
    def size(self) -> int:
        return len(self.text.encode("utf-8", "replace")) + len(self.logger) + 40

    @property
    def moment(self) -> str:
        """RFC 3339 in UTC, to the millisecond, by the worker's clock."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass(frozen=True)
class Kept:
    """The journal at one moment; `version` tells it from later ones."""

    version: int
    lines: list[Line]
    left_out: int


class Journal:
    """Half of the room is for the first lines, and half for the last. Several threads may use it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: list[Line] = []
        self._last: deque[Line] = deque()
        self._first_size = self._last_size = 0
        self._left_out = self._version = self._saved = 0

    def add(self, at: float, level: str, logger: str, text: str) -> None:
        text = text.replace("\0", "")
        line = Line(at, level, logger[:100], text[:LONGEST_LINE], cut=len(text) > LONGEST_LINE)
        with self._lock:
            self._version += 1
            if not self._last and self._fits(len(self._first) + 1, self._first_size + line.size):
                self._first.append(line)
                self._first_size += line.size
                return
            self._last.append(line)
            self._last_size += line.size
            while not self._fits(len(self._last), self._last_size):
                self._last_size -= self._last.popleft().size
                self._left_out += 1

    @property
    def unsaved(self) -> bool:
        return self._version > self._saved

    def read(self) -> Kept:
        with self._lock:
            return Kept(self._version, [*self._first, *self._last], self._left_out)

    def saved(self, version: int) -> None:
        """What was there at that version is durable."""
        with self._lock:
            self._saved = max(self._saved, version)

    @staticmethod
    def _fits(lines: int, size: int) -> bool:
        return lines <= MOST_LINES // 2 and size <= MOST_BYTES // 2
