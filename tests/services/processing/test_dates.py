"""Bins of dates, against DuckDB's own."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import pytest

from webapi.services.processing import dates
from webapi.services.processing.columns import Column

CASES = [
    (date(2024, 2, 27), 3, "day"),
    (date(2024, 2, 27), 90, "week"),
    (date(2023, 12, 31), 400, "month"),
    (date(2022, 5, 31), 1500, "quarter"),
    (date(2010, 6, 1), 6000, "year"),
    (date(1904, 6, 1), 50_000, "decade"),
    (date(1004, 6, 1), 300_000, "century"),
    (date(1, 1, 1), 3_652_058, "millennium"),
    (date(1, 1, 1), 60_000, "decade"),
]


@pytest.mark.parametrize(("first", "days", "unit"), CASES)
def test_every_date_falls_into_a_bin_that_is_listed(first: date, days: int, unit: str) -> None:
    moments = [first + timedelta(days=days * step // 40) for step in range(41)]
    last = moments[-1]
    key = dates.key(unit, Column("d", "DATE"))
    values = ", ".join(f"(DATE '{moment.isoformat()}')" for moment in moments)
    rows = duckdb.connect().execute(f"SELECT {key}, count(*) FROM (VALUES {values}) t(d) GROUP BY 1").fetchall()
    found = dates.histogram(first, last, dict(rows))
    assert (dates.unit(first, last), found["unit"]) == (unit, unit)
    assert (sum(found["counts"]), len(found["counts"]) <= 20) == (41, True)


def test_moments_go_down_to_the_second() -> None:
    begin = datetime(2024, 1, 1, 23, 59, 58)  # noqa: DTZ001 - as a column without zones gives it
    assert dates.unit(begin, begin) == "second"
    assert dates.unit(begin, begin + timedelta(minutes=10)) == "minute"
    assert dates.unit(begin, begin + timedelta(hours=10)) == "hour"
    assert dates.unit(begin, begin + timedelta(days=10)) == "day"


def test_dates_that_python_does_not_know_have_no_bins() -> None:
    assert dates.unit("0044-03-15 (BC)", date(2024, 1, 1)) is None
