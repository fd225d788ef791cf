"""The histogram of dates: by the second, the day, the quarter, the century, whichever leaves few bins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MINYEAR, date, datetime, time, timedelta
from typing import Any

from webapi.services.processing.columns import Column

BINS = 20  # at most
MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200, "millennium": 12_000}
STEPS = {
    "second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1),
    "day": timedelta(days=1), "week": timedelta(days=7),
}  # fmt: skip
FINE = ("second", "minute", "hour")  # that a date does not have


def unit(first: Any, last: Any) -> str | None:
    """The smallest unit of which the time from `first` to `last` touches at most BINS; None for dates unknown here."""
    if not isinstance(first, date) or not isinstance(last, date):
        return None  # before year 1, or after 9999
    known = (
        [*STEPS, *MONTHS] if isinstance(first, datetime) else [each for each in [*STEPS, *MONTHS] if each not in FINE]
    )
    return next((each for each in known if len(_bins(each, first, last)) <= BINS), None)


def key(cut: str, column: Column) -> str:
    """In SQL: the bin of a value."""
    return f"date_trunc('{cut}', {column.name}::TIMESTAMP)::VARCHAR"


def histogram(first: Any, last: Any, counts: Mapping[str, int]) -> dict[str, Any]:
    """The bins from the first to the last, also those with nothing in them, each with its count."""
    cut = unit(first, last)
    assert cut is not None
    bins = _bins(cut, first, last)
    early = sum(count for begin, count in counts.items() if "BC" in begin)  # a decade from year 0 on
    shown = [each.isoformat() if cut in FINE else each.date().isoformat() for each in bins]
    found = [counts.get(str(each), 0) for each in bins]
    return {"unit": cut, "from": shown, "counts": [found[0] + early, *found[1:]]}


def _bins(cut: str, first: date, last: date) -> list[datetime]:
    """The beginnings of the bins, at most one more than there may be."""
    at, end, bins = _begin(cut, _moment(first)), _moment(last), list[datetime]()
    while at <= end and len(bins) <= BINS:
        bins.append(at)
        try:
            at = at + STEPS[cut] if cut in STEPS else _months_on(at, MONTHS[cut])
        except (OverflowError, ValueError):  # the end of the calendar
            break
    return bins


def _moment(at: date) -> datetime:
    return at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, time())


def _begin(cut: str, at: datetime) -> datetime:
    """As DuckDB's date_trunc: weeks begin on Monday, decades and centuries in years that end in 0 and 00."""
    day = datetime.combine(at, time())
    match cut:
        case "second":
            return at.replace(microsecond=0)
        case "minute":
            return at.replace(second=0, microsecond=0)
        case "hour":
            return day + timedelta(hours=at.hour)
        case "day":
            return day
        case "week":
            return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))
        case "month" | "quarter":
            months = MONTHS[cut]
            return day.replace(month=(at.month - 1) // months * months + 1, day=1)
    years = MONTHS[cut] // 12
    return day.replace(year=max(MINYEAR, at.year // years * years), month=1, day=1)


def _months_on(at: datetime, months: int) -> datetime:
    whole = at.year * 12 + at.month - 1 + months
    if at.year == MINYEAR and months > 12:  # a bin that began before the calendar
        whole = months
    return at.replace(year=whole // 12, month=whole % 12 + 1)
