"""Numbers, dates and sentences as people of each language write them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import format_decimal

from webapi.services.formats.locales import SENTENCES, Language


@pytest.mark.parametrize(
    ("locale", "number", "day", "moment", "truth"),
    [
        ("en", "1,234,567.50", "Nov 21, 2026", "Nov 21, 2026 15:04:05 UTC", "yes"),
        ("de", "1.234.567,50", "21.11.2026", "21.11.2026 15:04:05 UTC", "ja"),
        ("fr", "1\u202f234\u202f567,50", "21 nov. 2026", "21 nov. 2026 15:04:05 UTC", "oui"),
        ("de-CH", "1’234’567.50", "21.11.2026", "21.11.2026 15:04:05 UTC", "ja"),
        ("nobody knows", "1,234,567.50", "Nov 21, 2026", "Nov 21, 2026 15:04:05 UTC", "yes"),
    ],
)
def test_a_value_is_written_as_the_locale_writes_it(
    locale: str, number: str, day: str, moment: str, truth: str
) -> None:
    language = Language(locale)
    values = [Decimal("1234567.50"), date(2026, 11, 21), datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC), True]
    assert [language.text(value) for value in values] == [number, day, moment, truth]


@pytest.mark.parametrize("locale", ["en", "de", "fr", "es", "pl", "hi", "pt_PT", "sv", "ar_EG"])
@pytest.mark.parametrize("value", [0, -7, 1234, 12345, -1234567, 123456789012])
def test_an_integer_is_what_babel_writes(locale: str, value: int) -> None:
    assert Language(locale).number(value) == format_decimal(value, locale=locale).replace("\u2212", "-")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (-0.0, "-0"),
        (1e300, "1e+300"),
        (1.5e-9, "1.5e-09"),
        (100.0, "100"),
        (math.nan, "NaN"),
        (-math.inf, "-∞"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+400"), "1E+400"),
        (Decimal("0.10"), "0.10"),
    ],
)
def test_a_number_has_the_digits_that_are_certain(value: Any, text: str) -> None:
    assert Language("en").number(value) == text


def test_every_language_says_every_sentence() -> None:
    for sentences in SENTENCES.values():
        assert sentences.keys() == SENTENCES["en"].keys()
    assert Language("de").say("sampled", stride=4, rows=2000) == "Gezeichnet ist eine von je 4 Zeilen, von 2.000."
