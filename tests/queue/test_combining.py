"""What comes while one thread is at work is dealt with together; nobody waits for more to come, and nobody for ever."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from tests.waiting import until
from webapi.queue.combining import MOST, Combining

LONG = 10.0  # seconds


@dataclass
class Desk:
    """Deals with one lot when the door is opened for it, and remembers the lots."""

    lots: list[list[int]] = field(default_factory=list)
    concluded: list[list[int]] = field(default_factory=list)
    door: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    bad: int = -1

    def deal(self, items: list[int]) -> None:
        self.lots.append(items)
        assert self.door.acquire(timeout=LONG)
        if self.bad in items:
            raise ValueError(items)

    def conclude(self, items: list[int]) -> None:
        self.concluded.append(items)


def come(together: Combining[int], numbers: range, errors: list[int]) -> list[threading.Thread]:
    """A thread for each number, one after the other, so that they wait in this order."""

    def run(number: int) -> None:
        try:
            together.put(number)
        except ValueError:
            errors.append(number)

    threads = []
    for number in numbers:
        before = together.waiting
        threads.append(threading.Thread(target=run, args=(number,), daemon=True))
        threads[-1].start()
        until(lambda before=before: together.waiting > before, what="its place")  # type: ignore[misc]
    return threads


def first(desk: Desk, together: Combining[int], errors: list[int]) -> threading.Thread:
    thread = threading.Thread(target=lambda: _put(together, errors), daemon=True)
    thread.start()
    until(lambda: desk.lots == [[0]], what="the first to be at work")
    return thread


def _put(together: Combining[int], errors: list[int]) -> None:
    try:
        together.put(0)
    except ValueError:
        errors.append(0)


def over(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(LONG)
    return not any(thread.is_alive() for thread in threads)


def test_one_that_comes_alone_is_dealt_with_at_once() -> None:
    desk = Desk()
    desk.door.release()
    Combining(desk.deal, desk.conclude).put(7)
    assert (desk.lots, desk.concluded) == ([[7]], [[7]])


@pytest.mark.parametrize("bad", [-1, 0, 1, 3], ids=["well", "the first", "who deals for others", "one of those"])
def test_who_comes_meanwhile_goes_together_and_an_error_is_its_threads_own(bad: int) -> None:
    desk, errors = Desk(bad=bad), list[int]()
    together = Combining(desk.deal, desk.conclude)
    threads = [first(desk, together, errors), *come(together, range(1, 5), errors)]
    desk.door.release(2)
    assert over(threads)
    assert desk.lots == [[0], [1, 2, 3, 4]]
    assert errors == {-1: [], 0: [0], 1: [1], 3: [1]}[bad]
    desk.door.release()
    together.put(9)
    assert desk.lots[-1] == [9]


def test_the_next_are_dealt_with_before_the_last_are_concluded() -> None:
    desk, errors, told = Desk(), list[int](), threading.Event()

    def conclude(items: list[int]) -> None:
        if items == [0]:
            assert told.wait(LONG)
        desk.conclude(items)

    together = Combining(desk.deal, conclude)
    threads = [first(desk, together, errors), *come(together, range(1, 3), errors)]
    desk.door.release(2)
    until(lambda: desk.concluded == [[1, 2]], what="the second lot to be over")
    assert threads[0].is_alive()
    told.set()
    assert over(threads)


def test_a_lot_has_a_bound() -> None:
    desk, errors = Desk(), list[int]()
    together = Combining(desk.deal, desk.conclude)
    threads = [first(desk, together, errors), *come(together, range(1, MOST + 3), errors)]
    desk.door.release(3)
    assert over(threads)
    assert [len(lot) for lot in desk.lots] == [1, MOST, 2]
