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
    """Of resident memory; what processes share counts once, where the kernel tells."""

    bytes: int = 0


@contextmanager
def watched(process: psutil.Process) -> Iterator[Peak]:
    """The most memory that a process and its children have together while the block runs."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            peak.bytes = max(peak.bytes, resident(process))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def resident(process: psutil.Process) -> int:
    """Bytes of a process and its children together; 0 when it is gone."""
    with suppress(psutil.NoSuchProcess):
        return sum(map(_own, [process, *process.children(recursive=True)]))
    return 0


def _own(process: psutil.Process) -> int:
    try:
        found = process.memory_full_info()
        return int(getattr(found, "pss", found.rss))
    except psutil.Error:
        return 0
