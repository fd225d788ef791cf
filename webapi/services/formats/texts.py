"""Rows as the texts of their columns, as a database can hand them over: no value becomes an object of Python.

A text is UTF-8 and what CSV shows of the value: digits, true and false, ISO 8601. Null is None in a column of texts,
and empty in the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from webapi.services.formats.batches import checked
from webapi.services.formats.counting import EXACT, Counted
from webapi.services.formats.delimited import decimal_text, iso
from webapi.services.formats.sums import total
from webapi.services.formats.table import Column, Type

Texts = list[Any]  # of bytes, and None


@dataclass(frozen=True)
class Block:
    """Some rows: for each column one text a row."""

    columns: list[Texts]
    rows: int

    def first(self, rows: int) -> Block:
        return Block([texts[:rows] for texts in self.columns], rows)


class Blocks(Counted):
    """Blocks on their way into a file. Iterate once."""

    def __init__(
        self,
        columns: list[Column],
        blocks: Iterable[Block],
        *,
        incomplete: Callable[[], str | None] = lambda: None,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(columns, incomplete=incomplete, tick=tick)
        self._blocks = blocks

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            for column, texts in zip(self.columns, block.columns, strict=True):
                if column.name in self.totals:
                    added, without = total(texts)
                    self.totals[column.name] = EXACT.add(self.totals[column.name], added)
                    self.not_finite[column.name] += without
            self.rows += block.rows
            yield block
            self.tick()
        self.ended()


def texts_of(column: Column, values: list[Any]) -> Texts:
    """The texts of values as they are in a row. Raises ValueError for one that the column cannot hold."""
    make = MAKERS[column.type]
    values = checked(column, values)
    if column.type == "text":
        return [None if value is None else value.encode() for value in values]
    return [b"" if value is None else make(value).encode() for value in values]


def _number(value: Any) -> str:
    return decimal_text(value) if type(value) is Decimal else repr(value)


MAKERS: dict[Type, Callable[[Any], Any]] = {
    "text": str,
    "integer": str,
    "number": _number,
    "boolean": lambda value: "true" if value else "false",
    "date": iso,
    "datetime": iso,
}
