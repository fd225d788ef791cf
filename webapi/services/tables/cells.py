"""The cells of a workbook as text: what a person would write in a CSV file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
MOST_COLUMNS = 16_384  # of a sheet in Excel
EXACT = 10**15  # Excel keeps 15 digits; a larger number with an exponent was rounded and keeps it
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # ECMA-376 part 1, 22.9.2.19: ST_Xstring
BOOLEANS = {"1": "TRUE", "0": "FALSE"}


class Unreadable(ValueError):
    """The end of a sentence: why a cell cannot be read, and what to do."""


@dataclass(frozen=True)
class Styles:
    """The day that is 0, and the numbers of the styles that show a number as a date or as a length of time."""

    epoch: datetime
    dates: frozenset[int]
    durations: frozenset[int]


def value_of(cell: Any, texts: list[str], styles: Styles) -> str:
    """A `c` element as text: 5, 12.5, 2026-11-21, 2026-11-21 14:30, TRUE, #N/A; "" when it is empty.

    A formula gives the value that was stored with it. Unreadable, ValueError, IndexError or OverflowError when
    there is no value to be had.
    """
    kind, found = cell.get("t", "n"), cell.find(f"{SPACE}v")
    if kind == "inlineStr":
        inline = cell.find(f"{SPACE}is")
        return "" if inline is None else rich_text(inline)
    if kind != "str" and (found is None or not found.text) and cell.find(f"{SPACE}f") is not None:
        raise Unreadable("is a formula without a stored value: open the file in a spreadsheet program and save it.")
    value = (found.text if found is not None else "") or ""
    if not value.strip() or kind == "str":
        return _unescaped(value)
    match kind:
        case "s":
            return _shared(texts, int(value))
        case "b":
            return BOOLEANS.get(value.strip(), value)
        case "n":
            return _number(value.strip(), int(cell.get("s") or 0), styles)
        case "d":
            return _moment(datetime.fromisoformat(value.strip()))
    return value  # an error such as #N/A


def rich_text(element: Any) -> str:
    """The text of an `si` or `is` element, plain or in runs of several fonts; phonetic hints are no part of it."""
    runs = (
        each if each.tag == f"{SPACE}t" else each.find(f"{SPACE}t") for each in element if each.tag != f"{SPACE}rPh"
    )
    return _unescaped("".join(run.text or "" for run in runs if run is not None))


def column_of(name: str) -> int:
    """28 for AB7. ValueError when there is no such column."""
    number = 0
    for letter in name.rstrip("0123456789"):
        number = number * 26 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) + 1
        if number > MOST_COLUMNS:
            break
    if not 1 <= number <= MOST_COLUMNS:
        raise ValueError(name)
    return number


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _shared(texts: list[str], index: int) -> str:
    if index < 0:
        raise IndexError(index)
    return texts[index]


def _number(value: str, style: int, styles: Styles) -> str:
    number = float(value)
    if not isfinite(number):
        raise ValueError(value)
    if style in styles.dates:
        return _date(number, style, styles)
    if number.is_integer() and abs(number) < EXACT:
        return str(int(number))
    return value if value.removeprefix("-").isdigit() else repr(number)


def _date(number: float, style: int, styles: Styles) -> str:
    from openpyxl.utils.datetime import from_excel

    try:
        found = from_excel(number, styles.epoch, timedelta=style in styles.durations)
    except (OverflowError, ValueError):
        raise Unreadable("is shown as a date but holds a number that is none.") from None
    return _duration(found) if isinstance(found, timedelta) else _moment(found)


def _moment(found: date | time) -> str:
    """ISO 8601 with a space; midnight and seconds of zero are left out."""
    if isinstance(found, time):
        return found.isoformat("seconds" if found.second else "minutes")
    if not isinstance(found, datetime) or found.time() == time():
        return found.isoformat()[:10]
    return found.replace(microsecond=0).isoformat(" ", "seconds" if found.second else "minutes")


def _duration(found: timedelta) -> str:
    minutes, seconds = divmod(round(found.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
