"""Dates and moments of databases, as ISO 8601 has them."""

from __future__ import annotations

import pytest

from webapi.services.formats.moments import dates, moments, zoned


def test_moments_are_those_of_python() -> None:
    texts = [b"2026-01-31 10:00:00+00", b"", b"2026-01-31 10:00:00.25-05", b"0001-01-01 00:00:00.123456+14"]
    assert zoned(texts) == [
        b"2026-01-31T10:00:00+00:00", b"", b"2026-01-31T10:00:00.250000-05:00", b"0001-01-01T00:00:00.123456+14:00",
    ]  # fmt: skip
    assert moments([b"2026-01-31 10:00:00.5", b""]) == [b"2026-01-31T10:00:00.500000", b""]
    assert moments([b"", b""]) == zoned([b"", b""]) == dates([b"", b""]) == [b"", b""]


@pytest.mark.parametrize(
    "text",
    [
        b"infinity", b"-infinity", b"12345-01-01 00:00:00+00", b"12345-01-01 00:00:00.12345+00",
        b"0044-03-15 00:00:00+00 BC", b"2026-01-31 10:00:00+05:30", b"2026-01-31 10:00:00.123+05:30",
        b"1800-01-01 12:34:08+00:34:08",
        b"0044-03-15 (BC) 00:00:00+00",
    ],
)  # fmt: skip
def test_what_is_out_of_the_ordinary_is_left_to_python(text: bytes) -> None:
    assert zoned([text]) is None
    assert zoned([b"2026-01-31 10:00:00+00", text]) is None


@pytest.mark.parametrize("text", [b"infinity", b"12345-01-01", b"0044-03-15 BC", b"-infinity"])
def test_no_other_date_is_taken_for_one(text: bytes) -> None:
    assert dates([b"2026-01-31", text]) is None
    assert moments([text + b" 00:00:00"]) is None
