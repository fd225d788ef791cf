"""How much memory a process and its children have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

LOOK = 0.1  # seconds between two looks


@dataclass
class Peak:
    """Of resident memory."""

    bytes: int = 0


@contextmanager
def watched(process: psutil.Process) -> Iterator[Peak]:
    """The most memory that a process and its children have together while the block runs."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            with suppress(psutil.NoSuchProcess):
                peak.bytes = max(peak.bytes, sum(map(_resident, [process, *process.children(recursive=True)])))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
