"""Each part tells whether it answers, how fast, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapi.services.system import parts

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.usefixtures("owner")
def test_what_answers_says_how_fast() -> None:
    for check in (parts.database(), parts.files()):
        assert check.verdict == "ok", check
        assert check.seconds is not None
        assert 0 < check.seconds < parts.SLOW


@pytest.mark.parametrize(
    ("total", "free", "verdict"),
    [(1e12, 5e11, "ok"), (1e12, 5e10, "warn"), (5e9, 9e8, "warn"), (1e12, 1e10, "bad"), (1e9, 1e8, "bad")],
)
def test_a_disk_that_fills_is_told_in_time(total: float, free: float, verdict: str) -> None:
    found = parts.room(int(total), int(free))
    assert found.verdict == verdict
    assert bool(found.remedy) is (verdict != "ok")
    assert f"{free / 1e9:,.1f} of" in found.sentence


@pytest.mark.usefixtures("owner")
def test_the_disk_of_the_files_is_the_one_that_is_looked_at() -> None:
    assert "GB are free" in parts.disk().sentence


@pytest.mark.parametrize(("off", "verdict"), [(0.5, "ok"), (-3, "warn"), (3, "warn")])
def test_clocks_that_differ_are_told(off: float, verdict: str) -> None:
    assert parts.clock(NOON + timedelta(seconds=off), NOON).verdict == verdict


def test_what_answers_late_is_slow() -> None:
    slow = parts.unless_slow(parts.Check("x", "ok", "It answers.", "", parts.SLOW * 2))
    assert (slow.verdict, slow.sentence) == ("warn", "It answers. It took long to answer.")
