"""CSV after RFC 4180, in UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from webapi.services.formats.batches import Batches
from webapi.services.formats.cells import FORMULA, inert
from webapi.services.formats.table import Column, Heading, Type, Written


def write_csv(path: Path, heading: Heading, batches: Batches) -> Written:
    """A header and the rows, each ended by CR LF.

    Null is empty. Booleans are true and false, moments are ISO 8601, and numbers are what they are: NaN, inf and
    -inf too. Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names(batches.columns))
        types = [column.type for column in batches.columns]
        for batch in batches:
            columns = (FIELDS[kind](values) for kind, values in zip(types, batch, strict=True))
            writer.writerows(zip(*columns, strict=True))
    return batches.written()


def names(columns: Sequence[Column]) -> list[str]:
    """The header."""
    return [inert(column.name) for column in columns]


def _texts(values: list[Any]) -> list[Any]:
    return ["'" + value if value and value[0] in FORMULA else value for value in values]


def _same(values: list[Any]) -> list[Any]:
    return values  # csv writes a float by repr, which reads back as the same float


def _numbers(values: list[Any]) -> list[Any]:
    """A Decimal without an exponent while it has few zeros: 1E+3 is 1000."""
    if Decimal not in set(map(type, values)):
        return values
    return [decimal_text(value) if type(value) is Decimal else value for value in values]


def _booleans(values: list[Any]) -> list[Any]:
    return [None if value is None else "true" if value else "false" for value in values]


def _moments(values: list[Any]) -> list[Any]:
    return [iso(value) for value in values]


def iso(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def decimal_text(value: Decimal) -> str:
    """Plain digits; an exponent only where it would take more than 40 of them."""
    return f"{value:f}" if -40 < value.adjusted() < 40 else str(value)


FIELDS: dict[Type, Callable[[list[Any]], list[Any]]] = {
    "text": _texts,
    "integer": _same,
    "number": _numbers,
    "boolean": _booleans,
    "date": _moments,
    "datetime": _moments,
}
