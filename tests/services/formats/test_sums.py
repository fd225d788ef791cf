"""Sums of texts are those of Decimals, digit for digit."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapi.services.formats.counting import EXACT
from webapi.services.formats.delimited import decimal_text
from webapi.services.formats.sums import total

TEXTS = st.one_of(
    st.just(""),
    st.integers().map(str),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats().map(repr),
    st.floats(-1, 1).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False).map(decimal_text),
    st.decimals(-(10**20), 10**20, places=3).map(decimal_text),
)


def one_by_one(texts: list[str]) -> tuple[Decimal, int]:
    numbers = [Decimal(text) for text in texts if text]
    with localcontext(EXACT):
        return sum(filter(Decimal.is_finite, numbers), Decimal(0)), sum(not number.is_finite() for number in numbers)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=30))
def test_any_numbers_are_added_up_exactly(texts: list[str]) -> None:
    assert repr(total([text.encode() for text in texts])) == repr(one_by_one(texts))


@pytest.mark.parametrize(
    "text", ["9223372036854775807", "-9223372036854775808", "0.99999999999999999", "-0.01", "1e300"]
)
def test_many_of_the_same_do_not_overflow(text: str) -> None:
    assert total([text.encode()] * 5000) == one_by_one([text] * 5000)


def test_nothing_but_nulls_is_zero() -> None:
    assert total([b"", b""]) == total([b""]) == (Decimal(0), 0)
