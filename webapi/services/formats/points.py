"""The points of a chart, gathered from any number of rows in the memory of 500."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from webapi.services.formats.table import Chart

MOST = 500
SLICES = 11  # of a pie; what remains is one more
LARGEST = 1e100  # an axis has no room for more


@dataclass(frozen=True)
class Points:
    """What to draw, and `note`, the name of the sentence that says what of the rows it is.

    `y` has a list for each series; None is a gap. An `x` that is OTHER stands for the slices that have no room.
    """

    x: list[Any]
    y: list[list[float | None]]
    rows: int
    stride: int = 1
    note: str | None = None

    @property
    def empty(self) -> bool:
        return not any(value is not None for series in self.y for value in series)


class Other:
    """The slice of all the rows that have none of their own."""


OTHER = Other()


class Collector(Protocol):
    def add(self, x: list[Any], y: list[list[Any]]) -> None: ...

    def points(self) -> Points: ...


def collector(chart: Chart) -> Collector:
    return Slices() if chart.kind == "pie" else Strides(len(chart.y))


class Strides:
    """Every n-th row, where n doubles whenever there are more than 500 points: even over all the rows."""

    def __init__(self, series: int) -> None:
        self._x: list[Any] = []
        self._y: list[list[Any]] = [[] for _ in range(series)]
        self._rows, self._stride = 0, 1

    def add(self, x: list[Any], y: list[list[Any]]) -> None:
        first = -self._rows % self._stride
        self._x += x[first :: self._stride]
        for kept, values in zip(self._y, y, strict=True):
            kept.extend(values[first :: self._stride])
        self._rows += len(x)
        while len(self._x) > MOST:
            self._stride *= 2
            self._x, self._y = self._x[::2], [kept[::2] for kept in self._y]

    def points(self) -> Points:
        y = [[drawable(value) for value in kept] for kept in self._y]
        found = Points(self._x, y, self._rows, self._stride, "sampled" if self._stride > 1 else None)
        return Points([], [], self._rows, note="nothing") if found.empty else found


class Slices:
    """The largest rows of a pie, largest first, and the exact sum of the others: a sample would show wrong shares."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, Any]] = []
        self._rows, self._rest, self._slices, self._negative = 0, 0.0, 0, False

    def add(self, x: list[Any], y: list[list[Any]]) -> None:
        for name, raw in zip(x, y[0], strict=True):
            self._rows += 1
            value = drawable(raw) or 0.0
            self._negative |= value < 0
            if value > 0:
                self._slices += 1
                item = (value, -self._rows, name)
                if len(self._kept) < SLICES:
                    heapq.heappush(self._kept, item)
                else:
                    self._rest += heapq.heappushpop(self._kept, item)[0]

    def points(self) -> Points:
        if self._negative or not self._kept:
            return Points([], [], self._rows, note="negative" if self._negative else "nothing")
        kept = sorted(self._kept, reverse=True)
        other = [(self._rest, 0, OTHER)] if self._slices > SLICES else []
        x, y = [name for _, _, name in kept + other], [value for value, _, _ in kept + other]
        return Points(x, [list(y)], self._rows, note="largest" if other else None)


def drawable(value: Any) -> float | None:
    """The value as a float, and None for what no axis has room for."""
    if not isinstance(value, int | float | Decimal) or not -LARGEST < value < LARGEST:
        return None
    return float(value)
