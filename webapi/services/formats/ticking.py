"""Work that takes long in one call, while somebody may still say stop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

LOOK = 0.2  # seconds between two looks at whether to go on
T = TypeVar("T")


def while_ticking(work: Callable[[], T], tick: Callable[[], None], stop: Callable[[], object] = lambda: None) -> T:
    """What the work returns, done by a thread. When `tick` raises, `stop` is called until the thread has ended."""
    with ThreadPoolExecutor(1, "writing") as pool:
        running = pool.submit(work)
        try:
            while not wait([running], LOOK).done:
                tick()
        except BaseException:
            while not wait([running], LOOK / 20).done:  # the work may not have begun when it was told to stop
                stop()
            raise
        return running.result()
