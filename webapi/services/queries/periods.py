"""Periods by name as half-open dates: which days "last month" means for somebody in a time zone now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
Days = tuple[date, date]


def _month(first: date, by: int) -> date:
    """The first day of the month that is `by` months away from one with the first day `first`."""
    months = first.year * 12 + first.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def _months(today: date, length: int, back: int) -> Days:
    """The block of `length` months (1, 3 or 12) that holds `today`, or the one before it when `back` is 1."""
    first = date(today.year, (today.month - 1) // length * length + 1, 1)
    start = _month(first, -length * back)
    return start, _month(start, length)


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


PERIODS: dict[str, Callable[[date], Days]] = {
    "today": lambda today: (today, today + DAY),
    "yesterday": lambda today: (today - DAY, today),
    "this_week": lambda today: (_monday(today), _monday(today) + WEEK),
    "last_week": lambda today: (_monday(today) - WEEK, _monday(today)),
    "this_month": lambda today: _months(today, 1, 0),
    "last_month": lambda today: _months(today, 1, 1),
    "this_quarter": lambda today: _months(today, 3, 0),
    "last_quarter": lambda today: _months(today, 3, 1),
    "this_year": lambda today: _months(today, 12, 0),
    "last_year": lambda today: _months(today, 12, 1),
    "last_7_days": lambda today: (today - 6 * DAY, today + DAY),
    "last_30_days": lambda today: (today - 29 * DAY, today + DAY),
}


def today_in(timezone: str, now: datetime) -> date:
    """The day it is in an IANA time zone at `now`, which knows its own. ValueError when either does not."""
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    try:
        return now.astimezone(ZoneInfo(timezone)).date()
    except (ZoneInfoNotFoundError, OSError):  # a folder of zones such as "Europe" is an OSError
        raise ValueError(f"{timezone!r} is no time zone") from None


def days(period: str, today: date) -> Days:
    """The first day and the day after the last one. ValueError, with a sentence, when it is no period.

    Weeks begin on Monday (ISO 8601); the last 7 days end with today. "2026-01-01..2026-01-31" holds both its ends.
    """
    if period in PERIODS:
        return PERIODS[period](today)
    first, dots, last = period.partition("..")
    try:
        found = (day(first), day(last)) if dots else None
    except ValueError:
        found = None
    if not found:
        raise ValueError(f"Write one of {', '.join(PERIODS)}, or two days as in 2026-01-01..2026-01-31.")
    if found[1] < found[0]:
        raise ValueError("The last day is before the first.")
    if found[1] == date.max:
        raise ValueError("The last day is too late.")
    return found[0], found[1] + DAY


def spelt(days: Days) -> str:
    """The same as two days, of which the last is in it: what `days` reads, and means at any time."""
    return f"{days[0].isoformat()}..{(days[1] - DAY).isoformat()}"


def day(text: str) -> date:
    """A day as 2026-01-31 and in no other way. ValueError otherwise."""
    if len(text) != len("2026-01-31"):
        raise ValueError(text)
    return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
