"""Cells of a sheet as XML, typed as a spreadsheet types them; no text is a formula."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from webapi.services.formats.cells import cut, visible
from webapi.services.formats.table import Type, plain

LONGEST = 32_767  # UTF-16 units in a cell
DIGITS = 15  # a spreadsheet keeps no more of a number
FIRST_DAY = date(1900, 3, 1)  # before it, spreadsheets do not agree what day a number is
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - the day 0 of spreadsheets, in no zone
DAY = timedelta(days=1)
MARKUP = re.compile("[&<>]|_x[0-9A-Fa-f]{4}_")
ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Cells:
    """`styles` are the indexes of the cell formats called head, boolean, date and datetime.

    `cut` counts the texts that were too long for a cell.
    """

    def __init__(self, styles: dict[str, int]) -> None:
        self.cut = 0
        self._styles = styles
        self._kinds: dict[Type, Callable[[str, int, list[Any]], list[str]]] = {
            "text": self._texts,
            "integer": self._numbers,
            "number": self._numbers,
            "boolean": self._booleans,
            "date": self._dates,
            "datetime": self._moments,
        }

    def column(self, kind: Type, letter: str, first: int, values: list[Any]) -> list[str]:
        """The cells of a column from the row `first` on; nothing for None."""
        return self._kinds[kind](letter, first, values)

    def head(self, letter: str, name: str) -> str:
        return self.text(f"{letter}1", name, f' s="{self._styles["head"]}"')

    def _texts(self, letter: str, first: int, values: list[Any]) -> list[str]:
        return [self.text(f"{letter}{row}", value) if value else "" for row, value in enumerate(values, first)]

    def text(self, where: str, text: str, style: str = "") -> str:
        if not text.isprintable():
            text = visible(text)
        if len(text) > LONGEST // 2:
            kept = cut(text, LONGEST)
            self.cut += kept != text
            text = kept
        space = ' xml:space="preserve"' if text != text.strip() else ""
        return f'<c r="{where}"{style} t="inlineStr"><is><t{space}>{MARKUP.sub(_escaped, text)}</t></is></c>'

    def _numbers(self, letter: str, first: int, values: list[Any]) -> list[str]:
        return [
            ""
            if value is None
            else f'<c r="{letter}{row}"><v>{value}</v></c>'
            if is_number(value)
            else self.text(f"{letter}{row}", str(value))
            for row, value in enumerate(values, first)
        ]

    def _booleans(self, letter: str, first: int, values: list[Any]) -> list[str]:
        style = self._styles["boolean"]
        return [
            "" if value is None else f'<c r="{letter}{row}" s="{style}" t="b"><v>{value:d}</v></c>'
            for row, value in enumerate(values, first)
        ]

    def _dates(self, letter: str, first: int, values: list[Any]) -> list[str]:
        style, day = self._styles["date"], EPOCH.toordinal()
        return [
            ""
            if value is None
            else f'<c r="{letter}{row}" s="{style}"><v>{value.toordinal() - day}</v></c>'
            if value >= FIRST_DAY
            else self.text(f"{letter}{row}", value.isoformat())
            for row, value in enumerate(values, first)
        ]

    def _moments(self, letter: str, first: int, values: list[Any]) -> list[str]:
        return [
            "" if value is None else self._moment(f"{letter}{row}", plain(value))
            for row, value in enumerate(values, first)
        ]

    def _moment(self, where: str, moment: datetime) -> str:
        if moment.date() < FIRST_DAY:
            return self.text(where, moment.isoformat(sep=" "))
        return f'<c r="{where}" s="{self._styles["datetime"]}"><v>{(moment - EPOCH) / DAY}</v></c>'


def _escaped(found: re.Match[str]) -> str:
    return ESCAPED.get(found[0]) or "_x005F" + found[0]  # a reader takes _x0041_ for an A


def is_number(value: Any) -> bool:
    """Whether a spreadsheet keeps every digit of the number."""
    if type(value) is float:
        return isfinite(value)
    return -(10**DIGITS) < value < 10**DIGITS and (type(value) is int or _short(value))


def _short(value: Decimal) -> bool:
    return len(value.as_tuple().digits) <= DIGITS and value.adjusted() > -300
