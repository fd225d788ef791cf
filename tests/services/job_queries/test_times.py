"""Ages and spans of time, as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.errors import Malformed
from webapi.services.job_queries.times import read_age, read_span

NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("1h", 3600), ("2d", 172800), ("1w", 604800)])
def test_an_age_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert read_age(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "1.5h", "-1h", "1 h", "999999w", "1y"])
def test_what_is_no_age_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Malformed, match="Write it like 30s"):
        read_age(text)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-11-01", "2026-11-01T00:00:00", "2026-11-02T00:00:00"),
        ("today", "2026-11-21T00:00:00", "2026-11-22T00:00:00"),
        ("Yesterday", "2026-11-20T00:00:00", "2026-11-21T00:00:00"),
        ("2026-11-01T09:30", "2026-11-01T09:30:00", "2026-11-01T09:31:00"),
        ("2026-11-01t09:30:05z", "2026-11-01T09:30:05", "2026-11-01T09:30:06"),
        ("2026-11-01T00:30+02:00", "2026-10-31T22:30:00", "2026-10-31T22:31:00"),
        ("2026-11-01..2026-11-03", "2026-11-01T00:00:00", "2026-11-04T00:00:00"),
        ("yesterday..today", "2026-11-20T00:00:00", "2026-11-22T00:00:00"),
    ],
)
def test_a_time_is_all_of_what_was_named(text: str, begin: str, end: str) -> None:
    found = read_span(text, NOW)
    assert [each.isoformat() for each in found] == [f"{begin}+00:00", f"{end}+00:00"]


@pytest.mark.parametrize(
    "text", ["soon", "2026-13-01", "2026-02-30", "2026-11", "..", "today..", "0001-01-01", "2500-01-01"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_span(text, NOW)


def test_a_span_that_runs_backwards_is_refused() -> None:
    with pytest.raises(Malformed, match="ends before it begins"):
        read_span("2026-11-03..2026-11-01", NOW)


@given(st.text(alphabet="0123456789-:.TZ+today", max_size=40))
def test_any_text_is_a_span_or_a_sentence(text: str) -> None:
    try:
        begin, end = read_span(text, NOW)
    except Malformed:
        return
    assert begin < end
