"""The exact sum of many numbers that are texts, many times as fast as one Decimal after the other."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

from webapi.services.formats.counting import EXACT

DIGITS = 18  # of an integer that 64 bits hold whatever the digits are
HALF = 30  # bits; sums of so long parts of a million integers are exact in double precision
DOT, COMMA, MINUS, ZERO = b".,-0"


def total(texts: Sequence[bytes]) -> tuple[Decimal, int]:
    """The exact sum, and how many have none: NaN and the infinities. An empty text is no number and counts nowhere."""
    joined = b",".join(texts)
    if not joined.translate(None, b"0123456789.-,"):
        return _plain(joined), 0
    odd = [text for text in texts if text.translate(None, b"0123456789.-")]
    numbers = [Decimal(text.decode()) for text in odd]
    finite = [number for number in numbers if number.is_finite()]
    with localcontext(EXACT):
        rest = sum(finite, _plain(b",".join([text for text in texts if not text.translate(None, b"0123456789.-")])))
    return Decimal(rest), len(numbers) - len(finite)


def _plain(joined: bytes) -> Decimal:
    """The sum of plain numbers with commas between them: each is taken as an integer, and those of as many digits
    behind the point are added up together.
    """
    import numpy as np

    joined = _without_nulls(joined)
    if not joined:
        return Decimal(0)
    letters, starts, ends, pointed, scales = _parts(joined)
    values = np.fromstring(joined.replace(b".", b""), np.int64, sep=",")
    long = _long(letters, starts, ends, pointed)
    values[long] = 0  # they are added one by one
    with localcontext(EXACT):
        rest = sum((Decimal(joined[starts[each] : ends[each]].decode()) for each in long.tolist()), Decimal(0))
        return sum((Decimal(added).scaleb(-scale) for scale, added in _by_scale(values, scales)), rest)


def digits(texts: Sequence[bytes]) -> tuple[int, int, bool]:
    """The most digits before and behind the point, and whether all numbers are finite."""
    joined = b",".join(texts)
    odd: list[Decimal] = []
    if joined.translate(None, b"0123456789.-,"):
        odd = [Decimal(text.decode()) for text in texts if text.translate(None, b"0123456789.-")]
        joined = b",".join([text for text in texts if not text.translate(None, b"0123456789.-")])
    there = [number for number in odd if number.is_finite()]
    before = max((number.adjusted() + 1 for number in there), default=0)
    after = max((-int(number.as_tuple().exponent) for number in there), default=0)
    if joined := _without_nulls(joined):
        letters, starts, ends, _, scales = _parts(joined)
        whole = ends - starts - scales - (scales > 0) - (letters[starts] == MINUS)
        before, after = max(before, int(whole.max())), max(after, int(scales.max()))
    return before, after, len(there) == len(odd)


def _without_nulls(joined: bytes) -> bytes:
    if b",," in joined or joined[:1] in b"," or joined[-1:] == b",":
        return b",".join(filter(None, joined.split(b",")))
    return joined


def _parts(joined: bytes) -> tuple[Any, ...]:
    """Numbers with commas between them, as letters; where each begins and ends, which have a point, and how many digits
    each has behind it.
    """
    import numpy as np

    letters = np.frombuffer(joined + b",", np.uint8)
    ends, dots = np.flatnonzero(letters == COMMA), np.flatnonzero(letters == DOT)
    starts = np.concatenate(([0], ends[:-1] + 1))
    scales = np.zeros(len(ends), np.int64)
    pointed = np.arange(len(ends)) if len(dots) == len(ends) else np.searchsorted(ends, dots)
    scales[pointed] = ends[pointed] - dots - 1
    return letters, starts, ends, pointed, scales


def _long(letters: Any, starts: Any, ends: Any, pointed: Any) -> Any:
    """Which of them may have more digits than DIGITS, a zero before the point not counted."""
    import numpy as np

    digits = ends - starts
    if digits.max() <= DIGITS:
        return np.empty(0, np.int64)
    negative = letters[starts] == MINUS
    digits -= negative
    digits[pointed] -= 1 + (letters[(starts + negative)[pointed]] == ZERO)
    return np.flatnonzero(digits > DIGITS)


def _by_scale(values: Any, scales: Any) -> list[tuple[int, int]]:
    """The sums of the integers by their digits behind the point."""
    import numpy as np

    high, low = values >> HALF, values & ((1 << HALF) - 1)
    if scales.min() == scales.max():
        return [(int(scales[0]), (int(high.sum()) << HALF) + int(low.sum()))]
    there, highs, lows = np.bincount(scales), np.bincount(scales, high), np.bincount(scales, low)
    return [(scale, (int(highs[scale]) << HALF) + int(lows[scale])) for scale in np.flatnonzero(there).tolist()]
