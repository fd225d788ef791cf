"""Which days a period means."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from webapi.services.queries.periods import PERIODS, day, days, today_in


def span(period: str, today: str) -> str:
    first, after = days(period, date.fromisoformat(today))
    return f"{first} {after}"


@pytest.mark.parametrize(
    ("period", "today", "expected"),
    [
        ("today", "2026-12-31", "2026-12-31 2027-01-01"),
        ("yesterday", "2026-01-01", "2025-12-31 2026-01-01"),
        ("yesterday", "2028-03-01", "2028-02-29 2028-03-01"),
        ("this_week", "2026-11-22", "2026-11-16 2026-11-23"),  # a Sunday
        ("this_week", "2026-11-16", "2026-11-16 2026-11-23"),  # a Monday
        ("last_week", "2027-01-03", "2026-12-21 2026-12-28"),  # a Sunday of 2026's week 53
        ("this_month", "2028-02-29", "2028-02-01 2028-03-01"),
        ("last_month", "2026-01-31", "2025-12-01 2026-01-01"),
        ("last_month", "2026-03-31", "2026-02-01 2026-03-01"),
        ("this_quarter", "2026-12-31", "2026-10-01 2027-01-01"),
        ("last_quarter", "2026-02-28", "2025-10-01 2026-01-01"),
        ("this_year", "2026-01-01", "2026-01-01 2027-01-01"),
        ("last_year", "2028-02-29", "2027-01-01 2028-01-01"),
        ("last_7_days", "2026-01-03", "2025-12-28 2026-01-04"),
        ("last_30_days", "2026-03-01", "2026-01-31 2026-03-02"),
        ("2026-01-01..2026-01-31", "2030-05-05", "2026-01-01 2026-02-01"),
        ("2028-02-29..2028-02-29", "2030-05-05", "2028-02-29 2028-03-01"),
    ],
)
def test_a_period_is_a_half_open_span_of_days(period: str, today: str, expected: str) -> None:
    assert span(period, today) == expected


@pytest.mark.parametrize("today", ["2026-01-01", "2028-02-29", "2026-12-31", "2026-03-29", "2026-10-25"])
def test_this_begins_where_last_ends(today: str) -> None:
    for unit in ("week", "month", "quarter", "year"):
        last, this = days(f"last_{unit}", date.fromisoformat(today)), days(f"this_{unit}", date.fromisoformat(today))
        assert last[1] == this[0] <= date.fromisoformat(today) < this[1]


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 22, 59, tzinfo=UTC), "2026-03-28"),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 0, tzinfo=UTC), "2026-03-29"),  # winter time until 01:00 UTC
        ("Europe/Berlin", datetime(2026, 3, 29, 22, 0, tzinfo=UTC), "2026-03-30"),  # a day of 23 hours later
        ("Europe/Berlin", datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "2026-10-25"),  # of 25 hours
        ("Pacific/Kiritimati", datetime(2026, 12, 31, 10, 0, tzinfo=UTC), "2027-01-01"),
        ("America/St_Johns", datetime(2026, 1, 1, 3, 29, tzinfo=UTC), "2025-12-31"),
        ("America/Sao_Paulo", datetime(2018, 11, 4, 3, 0, tzinfo=UTC), "2018-11-04"),  # midnight did not exist there
    ],
)
def test_the_day_is_the_one_in_the_time_zone(zone: str, now: datetime, expected: str) -> None:
    assert today_in(zone, now).isoformat() == expected


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "", "../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        today_in(zone, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_now_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        today_in("UTC", datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "period",
    [
        "",
        "soon",
        "2026-01-01",
        "2026-01-31..2026-01-01",
        "2026-02-29..2026-03-01",
        "2026-1-1..2026-01-31",
        "2026-01-01...2026-01-31",
        "2026-01-01..9999-12-31",
        "20260101..20260131",
        "TODAY",
    ],
)
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        days(period, date(2026, 1, 1))


def test_every_name_has_a_test_of_its_days() -> None:
    assert len(PERIODS) == 12
    assert all(first < after for first, after in (days(name, date(2026, 5, 5)) for name in PERIODS))


def test_a_day_is_written_in_one_way() -> None:
    assert day("2028-02-29") == date(2028, 2, 29)
    for text in ("2026-02-29", "2026-W01-1", "20260131", "31.01.2026"):
        with pytest.raises(ValueError, match=r"."):
            day(text)
