"""Rows taken a thousand at a time, column by column: checked, counted and added up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal, localcontext
from itertools import islice
from typing import Any

from webapi.services.formats.cells import encodable
from webapi.services.formats.counting import EXACT, Counted
from webapi.services.formats.points import Collector, collector
from webapi.services.formats.table import Chart, Column, Row, Type

BATCH = 1000
Batch = list[list[Any]]  # the values of each column

PLAIN: dict[Type, set[type]] = {
    "text": {str, type(None)},
    "integer": {int, type(None)},
    "number": {int, float, type(None)},
    "boolean": {bool, type(None)},
    "date": {date, type(None)},
    "datetime": {datetime, type(None)},
}


class Batches(Counted):
    """Iterate once; then `points` and `more` tell what went by, and what is counted of any rows.

    `room` says of each row whether there is place for it; the first without is the end, and `more` is true.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Iterable[Row],
        chart: Chart | None,
        room: Callable[[Row], bool] | None = None,
        *,
        incomplete: Callable[[], str | None] = lambda: None,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(columns, incomplete=incomplete, tick=tick)
        self.points: Collector | None = collector(chart) if chart else None
        self.more = False  # whether there were rows without room
        self._source, self._chart = self._within(rows, room) if room else iter(rows), chart

    def __iter__(self) -> Iterator[Batch]:
        while chunk := list(islice(self._source, BATCH)):
            yield self._taken(chunk)
            self.tick()
        self.ended()

    def _within(self, rows: Iterable[Row], room: Callable[[Row], bool]) -> Iterator[Row]:
        for row in rows:
            if not room(row):
                self.more = True
                return
            yield row

    def _taken(self, chunk: list[Row]) -> Batch:
        width = len(self.columns)
        if {*map(len, chunk)} != {width}:
            raise ValueError(f"After row {self.rows}: a row has not one value for each of the {width} columns.")
        values = zip(*chunk, strict=True)
        batch = [checked(column, list(each)) for column, each in zip(self.columns, values, strict=True)]
        by_name = {column.name: each for column, each in zip(self.columns, batch, strict=True)}
        for name in self.totals:
            self._add(name, by_name[name])
        if self.points and self._chart:
            self.points.add(by_name[self._chart.x], [by_name[name] for name in self._chart.y])
        self.rows += len(chunk)
        return batch

    def _add(self, name: str, values: list[Any]) -> None:
        kinds = set(map(type, values))
        if float not in kinds and Decimal not in kinds:
            self.totals[name] = EXACT.add(self.totals[name], Decimal(sum(filter(None, values))))
            return
        there = [value for value in values if value is not None]
        finite = [value for value in there if type(value) is not float or math.isfinite(value)]
        self.not_finite[name] += len(there) - len(finite)
        with localcontext(EXACT):
            self.totals[name] = sum(map(Decimal, map(str, finite)), self.totals[name])


def checked(column: Column, values: list[Any]) -> list[Any]:
    """The values in the one Python type that the column's type stands for."""
    if not set(map(type, values)) <= PLAIN[column.type]:
        cast = CASTS[column.type]
        try:
            values = [None if value is None else cast(value) for value in values]
        except (TypeError, ValueError, ArithmeticError):
            kinds = ", ".join(sorted({type(value).__name__ for value in values}))
            raise ValueError(f"The column {column.name!r} is {column.type} and cannot hold all of: {kinds}.") from None
    if column.type == "text":
        try:
            "".join(filter(None, values)).encode()
        except UnicodeEncodeError:
            values = [value and encodable(value) for value in values]
    return values


def _integer(value: Any) -> int:
    if isinstance(value, str) or int(value) != value:
        raise ValueError
    return int(value)


def _number(value: Any) -> int | float | Decimal:
    if isinstance(value, Decimal):
        return value if value.is_finite() else float(value) if not value.is_snan() else math.nan
    if isinstance(value, float):
        return float(value)
    return _integer(value)


def _boolean(value: Any) -> bool:
    if value not in (0, 1):  # SQLite's booleans are numbers
        raise ValueError
    return bool(value)


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    raise TypeError


def _datetime(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(_date(value), time())


CASTS: dict[Type, Callable[[Any], Any]] = {
    "text": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
