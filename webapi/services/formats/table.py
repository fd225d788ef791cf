"""What a file is made of: columns, a heading, rows, and perhaps a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from webapi.services.formats.cells import encodable

Type = Literal["text", "integer", "number", "boolean", "date", "datetime"]
Row = Sequence[Any]  # str | int | float | Decimal | bool | date | datetime | None, one for each column
NUMERIC: tuple[Type, ...] = ("integer", "number")


@dataclass(frozen=True)
class Column:
    """`floats` tells of a column of numbers what their texts do not: that they are floats, and not decimals."""

    name: str
    type: Type
    floats: bool = False


@dataclass(frozen=True)
class Chart:
    """`x` and `y` are names of columns; those of `y` are numeric. A pie has one `y`, and a slice for each row."""

    kind: Literal["bar", "line", "area", "pie"]
    x: str
    y: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """`locale` is of the readers of HTML and PDF, as in "de" or "fr-CH"; one that nobody knows is "en".

    `about` says where the rows are from, such as the definition, its version and the source.
    """

    title: str
    parameters: Mapping[str, str]
    as_of: datetime
    locale: str = "en"
    chart: Chart | None = None
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What the file holds.

    `totals` are the exact sums of the numeric columns over the rows that are in the file; NaN and the infinities
    have no sum, and `not_finite` counts them by column. `truncated` says in a sentence what is not in the file.
    """

    rows: int
    totals: dict[str, Decimal]
    truncated: str | None
    not_finite: dict[str, int] = field(default_factory=dict)


def encoded(heading: Heading, columns: Sequence[Column]) -> tuple[Heading, list[Column]]:
    """The same with U+FFFD for each lone surrogate."""
    chart = heading.chart
    clean = replace(
        heading,
        title=encodable(heading.title),
        parameters=_encoded(heading.parameters),
        about=_encoded(heading.about),
        chart=chart and replace(chart, x=encodable(chart.x), y=tuple(map(encodable, chart.y))),
    )
    return clean, [replace(column, name=encodable(column.name)) for column in columns]


def _encoded(texts: Mapping[str, str]) -> dict[str, str]:
    return {encodable(name): encodable(text) for name, text in texts.items()}


def check(heading: Heading, columns: Sequence[Column]) -> None:
    """Raise ValueError for a table that not every format can hold.

    Names are told apart without their case, because SQL and the readers of Parquet do.
    """
    names = [column.name.casefold() for column in columns]
    if not names or not all(names) or len(set(names)) < len(names):
        raise ValueError("A table has columns, and each has a name of its own, whatever its case.")
    if heading.chart:
        _check_chart(heading.chart, {column.name: column.type for column in columns})


def _check_chart(chart: Chart, types: Mapping[str, Type]) -> None:
    if chart.x not in types or not chart.y or any(types.get(name) not in NUMERIC for name in chart.y):
        raise ValueError(f"A chart needs a column as x and numeric columns as y: {chart.x}; {', '.join(chart.y)}.")
    if chart.kind == "pie" and len(chart.y) > 1:
        raise ValueError(f"A pie shows one column, not {len(chart.y)}.")


def plain(moment: datetime) -> datetime:
    """The moment in UTC without its zone, for formats that know none.

    One without a zone stays as it is, and so does one at the end of the calendar that UTC would push over it.
    """
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return moment.replace(tzinfo=None)
