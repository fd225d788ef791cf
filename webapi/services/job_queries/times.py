"""Times as people write them in a query. A day is all of it, and days are those of UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from webapi.errors import Malformed

AGE = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}  # seconds
LONGEST_AGE = 200 * 366 * 86400
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?:[Zz]|[+-]\d{2}:\d{2})?")
SECOND = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:[Zz]|[+-]\d{2}:\d{2})?")
LENGTHS = ((DAY, timedelta(days=1)), (MINUTE, timedelta(minutes=1)), (SECOND, timedelta(seconds=1)))
FIRST_YEAR, LAST_YEAR = 1970, 2200  # moments beyond have no place in every database

Span = tuple[datetime, datetime]


def read_age(text: str) -> int:
    """`30s`, `15m`, `1h`, `2d` or `1w` in seconds. Raises Malformed."""
    found = AGE.fullmatch(text)
    seconds = int(found[1]) * UNITS[found[2]] if found else LONGEST_AGE + 1
    if seconds > LONGEST_AGE:
        raise Malformed(f"{text!r} is no age. Write it like 30s, 15m, 1h, 2d or 1w.")
    return seconds


def read_span(text: str, now: datetime) -> Span:
    """The first moment and the end of a day, a minute or a second, or of two joined by `..`. Raises Malformed."""
    first, joined, last = text.partition("..")
    begin, end = _span(first, now)
    if joined:
        end = _span(last, now)[1]
    if end <= begin:
        raise Malformed(f"{text!r} ends before it begins.")
    return begin, end


def _span(text: str, now: datetime) -> Span:
    names = {"today": 0, "yesterday": 1}
    if text.lower() in names:
        text = (now.astimezone(UTC) - timedelta(days=names[text.lower()])).date().isoformat()
    length = next((length for shape, length in LENGTHS if shape.fullmatch(text)), None)
    try:
        begin = datetime.fromisoformat(text.upper()) if length else None
    except ValueError:
        begin = None
    if begin is None or length is None:
        raise Malformed(f"{text!r} is no time. Write it like today, yesterday, 2026-11-01 or 2026-11-01T09:30Z.")
    begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
    if not FIRST_YEAR < begin.year < LAST_YEAR:
        raise Malformed(f"Use a time between the years {FIRST_YEAR} and {LAST_YEAR}.")
    begin = begin.astimezone(UTC)
    return begin, begin + length
