"""Counting in files that the processes of one server share, in the format of prometheus_client's multiprocess mode.

The library's own metrics choose their files when they are imported, by a variable of the environment. These open
nothing before `start`, cost nothing without it, and never keep a lock across a fork.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.utils import floatToGoString

# The longest is beyond every time limit but the longest; a request that takes 30 s was given up by its asker.
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)

EMPTY = 1 << 16  # bytes of a new file, as the library would make it

Values = tuple[str, ...]


class _Books:
    """The files that this process writes. One lock, which is nobody's while a process forks."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.folder: Path | None = None
        self.guarded = False
        self._files: dict[str, MmapedDict] = {}

    def open(self, folder: Path | None) -> None:
        with self.lock:
            self._close()
            self.folder = folder
            if folder is not None and not self.guarded:
                self.guarded = True
                os.register_at_fork(
                    before=self.lock.acquire, after_in_parent=self.lock.release, after_in_child=self._in_child
                )

    def file(self, group: str) -> MmapedDict:
        """This process's file of a type of metric. To be called with the lock held and a folder given."""
        found = self._files.get(group)
        if found is None:
            path = Path(f"{self.folder}/{group}_{os.getpid()}.db")
            if not path.exists():  # whoever reads the folder must not meet a file that has no head yet
                fresh = path.with_suffix(".new")
                fresh.write_bytes(bytes(EMPTY))
                fresh.rename(path)
            found = self._files[group] = MmapedDict(str(path))  # type: ignore[no-untyped-call]
        return found

    def _in_child(self) -> None:
        self._close()  # they are the parent's
        self.lock.release()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()  # type: ignore[no-untyped-call]
        self._files = {}


_books = _Books()
_counters: list[Counter] = []


def start(folder: Path) -> None:
    """From here on this process, and what it forks, counts into files of its own in `folder`, which exists."""
    _books.open(folder)
    for counter in _counters:  # an increase is only seen from a figure that was there before
        for values in counter.known if counter.labels else ((),):
            counter.add(*values, by=0.0)


def stop() -> None:
    """Count no more."""
    _books.open(None)


def folder() -> Path | None:
    """Where this process counts; None when it does not."""
    return _books.folder


@dataclass(frozen=True)
class Counter:
    """What happened so often. `labels` are few: never an id, an address or an owner. Those `known` begin at zero."""

    name: str
    help: str
    labels: Values = ()
    known: tuple[Values, ...] = ()

    def __post_init__(self) -> None:
        if self.known or not self.labels:
            _counters.append(self)

    def add(self, *values: str, by: float = 1.0) -> None:
        if _books.folder is not None:
            _add("counter", ((_key(self.name.removesuffix("_total"), self.name, self.labels, values, self.help), by),))


@dataclass(frozen=True)
class Histogram:
    """How long something took, in seconds."""

    name: str
    help: str
    labels: Values = ()
    buckets: tuple[float, ...] = QUICK

    def observe(self, seconds: float, *values: str) -> None:
        if _books.folder is None:
            return
        keys, total = _bucket_keys(self, values)
        place = bisect_left(self.buckets, seconds)
        _add("histogram", (*((key, float(place == at)) for at, key in enumerate(keys)), (total, seconds)))


@dataclass(frozen=True)
class Moment:
    """When something happened last in any process of this server, as Unix time."""

    name: str
    help: str

    def note(self, at: float) -> None:
        if _books.folder is not None:
            key = _key(self.name, self.name, (), (), self.help)
            with _books.lock:
                _books.file("gauge_max").write_value(key, at, at)  # type: ignore[no-untyped-call]


def _add(group: str, changes: tuple[tuple[str, float], ...]) -> None:
    with _books.lock:
        if _books.folder is None:
            return
        file = _books.file(group)
        for key, by in changes:
            value, _ = file.read_value(key)  # type: ignore[no-untyped-call]
            if by:
                file.write_value(key, value + by, 0.0)  # type: ignore[no-untyped-call]


@cache
def _key(metric: str, name: str, labels: Values, values: Values, text: str) -> str:
    assert len(labels) == len(values), f"{name} has the labels {labels}"
    return mmap_key(metric, name, list(labels), list(values), text)


@cache
def _bucket_keys(of: Histogram, values: Values) -> tuple[tuple[str, ...], str]:
    """The keys of all buckets, and the one of the sum. An empty bucket is written too, or quantiles would be wrong."""
    limits = [floatToGoString(limit) for limit in (*of.buckets, float("inf"))]  # type: ignore[no-untyped-call]
    bucket, labels = f"{of.name}_bucket", (*of.labels, "le")
    keys = tuple(_key(of.name, bucket, labels, (*values, limit), of.help) for limit in limits)
    return keys, _key(of.name, f"{of.name}_sum", of.labels, values, of.help)
