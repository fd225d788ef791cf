"""When a schedule fires, across both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webapi.queue import cron

VIENNA = ZoneInfo("Europe/Vienna")  # skips 02:00 to 03:00 on 29 March 2026, has it twice on 25 October


def fires(expression: str, since: datetime, count: int) -> list[str]:
    """The next fire times as a clock on the wall shows them, with the offset from UTC."""
    times = islice(cron.fire_times(expression, "Europe/Vienna", since), count)
    return [at.astimezone(VIENNA).strftime("%d %H:%M %z") for at in times]


JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=VIENNA), datetime(2026, 10, 25, tzinfo=VIENNA)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["29 03:00 +0200", "30 02:30 +0200"]),
        ("30 2,3 * * *", ["29 03:00 +0200", "29 03:30 +0200", "30 02:30 +0200"]),
        ("0 * * * *", ["29 01:00 +0100", "29 03:00 +0200", "29 04:00 +0200"]),
        ("*/30 2 * * *", ["30 02:00 +0200", "30 02:30 +0200"]),
    ],
)
def test_the_hour_that_is_skipped(expression: str, expected: list[str]) -> None:
    assert fires(expression, SPRING, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["25 02:30 +0200", "26 02:30 +0100"]),
        ("0 * * * *", ["25 01:00 +0200", "25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"]),
        ("*/30 2 * * *", ["25 02:00 +0200", "25 02:30 +0200", "25 02:00 +0100", "25 02:30 +0100", "26 02:00 +0100"]),
    ],
)
def test_the_hour_that_comes_twice(expression: str, expected: list[str]) -> None:
    assert fires(expression, AUTUMN, len(expected)) == expected


def test_what_fired_in_the_first_of_the_two_hours_does_not_fire_in_the_second() -> None:
    second = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=VIENNA)
    assert fires("30 2 * * *", second, 1) == ["26 02:30 +0100"]


@given(
    expression=st.sampled_from(["* * * * *", "*/7 * * * *", "30 2 * * *", "0 2-4 * * *", "15 */5 * * 0", "0 0 L * *"]),
    zone=st.sampled_from(["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    since=st.integers(0, 2 * 366 * 1440).map(lambda minutes: JANUARY + timedelta(minutes=minutes)),
)
@example(expression="30 2 * * *", zone="Europe/Vienna", since=datetime(2026, 10, 25, 1, 10, tzinfo=UTC))
@example(expression="30 2 * * *", zone="Europe/Vienna", since=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
@example(expression="*/7 * * * *", zone="Australia/Lord_Howe", since=datetime(2026, 4, 4, 15, 10, tzinfo=UTC))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_next_one_is_later_and_does_not_depend_on_how_one_came_there(
    expression: str, zone: str, since: datetime
) -> None:
    """A relay computes each fire time from the one before; a page computes five at once."""
    at_once = list(islice(cron.fire_times(expression, zone, since), 6))
    one_by_one, last = [], since
    for _ in range(6):
        last = cron.first_after(expression, zone, last)
        one_by_one.append(last)
    assert at_once == one_by_one == sorted(set(at_once))
    assert at_once[0] > since


@pytest.mark.parametrize("back", [timedelta(minutes=3), timedelta(hours=30), timedelta(days=60), timedelta(days=4000)])
@pytest.mark.parametrize("expression", ["* * * * *", "30 2 * * *", "0 0 1 1 *"])
def test_the_newest_is_the_last_that_a_walk_meets(expression: str, back: timedelta) -> None:
    until = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
    first = cron.first_after(expression, "Europe/Vienna", until - back)
    found = cron.newest(expression, "Europe/Vienna", first, until)
    following = cron.first_after(expression, "Europe/Vienna", found)
    assert found <= until < following or (found == first > until)


def test_days_are_those_of_the_time_zone() -> None:
    midnight = cron.first_after("@daily", "Pacific/Auckland", datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    assert midnight == datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * * *", "use five fields"),
        ("", "use five fields"),
        ("61 * * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 1 13 *", "bad month"),
        ("@reboot", "use five fields"),
        ("0 9 * * mon#9", "bad day-of-week"),
    ],
)
def test_what_is_no_time_is_refused_with_a_sentence(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cron.check(expression, "UTC")


@pytest.mark.parametrize("name", ["Europe/Wien", "", "../../etc/passwd", "UTC+1", "x" * 300, "\0"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        cron.check("0 9 * * *", name)


def test_an_expression_is_explained() -> None:
    assert cron.explain("0 9 * * 1-5") == "At 09:00 on Monday through Friday"
    assert cron.explain("@hourly") == cron.explain("0 * * * *")
