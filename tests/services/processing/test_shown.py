"""What of a value stands in a result."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from webapi.services.processing.shown import plain, short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bern", "Bern"),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 99 + "…"),
        ("two\r\nlines", "two lines"),
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
    ],
)
def test_a_text_is_short_visible_and_on_one_line(text: str, shown: str) -> None:
    assert short(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (0.1, 0.1),
        (float("inf"), "inf"),
        (Decimal("2.00"), 2),
        (Decimal("0.1"), 0.1),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        (Decimal(10) ** 20, "100000000000000000000"),
        (date(2024, 2, 29), "2024-02-29"),
    ],
)
def test_a_number_keeps_its_digits_or_becomes_a_text(value: Any, shown: Any) -> None:
    assert (plain(value), type(plain(value))) == (shown, type(shown))
