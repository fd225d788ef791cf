"""Rows are counted exactly, and a row that is none is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.services.formats import Column, Type
from webapi.services.formats.batches import Batches

MIDNIGHT = datetime.fromisoformat("2026-01-02")
NUMBERS = st.one_of(st.none(), st.integers(), st.floats(), st.decimals(allow_nan=False, allow_infinity=False, places=5))


def taken(kind: Type, values: list[Any], room: Callable[[Any], bool] | None = None) -> tuple[Batches, list[Any]]:
    batches = Batches([Column("a", kind)], [[value] for value in values], None, room)
    return batches, [value for batch in batches for value in batch[0]]


@given(st.lists(NUMBERS, max_size=50))
def test_a_total_is_the_exact_sum_of_what_the_file_shows(values: list[Any]) -> None:
    batches, _ = taken("number", values)
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert Fraction(batches.totals["a"]) == sum((Fraction(str(value)) for value in finite), Fraction(0))
    assert batches.not_finite["a"] == len([value for value in values if value is not None]) - len(finite)


def test_rows_are_counted_over_many_batches() -> None:
    batches, values = taken("integer", list(range(2500)))
    assert (batches.rows, int(batches.totals["a"]), values, batches.more) == (
        2500,
        sum(range(2500)),
        list(range(2500)),
        False,
    )


@pytest.mark.parametrize(("rows", "kept", "more"), [(1999, 1999, False), (2000, 2000, False), (2001, 2000, True)])
def test_no_more_rows_are_taken_than_there_is_room_for(rows: int, kept: int, more: bool) -> None:
    seen = count(1)
    batches, values = taken("integer", [1] * rows, lambda row: row == [1] and next(seen) <= 2000)
    assert (batches.rows, len(values), int(batches.totals["a"]), batches.more) == (kept, kept, kept, more)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("integer", Decimal("12.00"), 12),
        ("integer", 3.0, 3),
        ("boolean", 1, True),
        ("date", MIDNIGHT, date(2026, 1, 2)),
        ("datetime", date(2026, 1, 2), MIDNIGHT),
        ("text", 7, "7"),
        ("text", "\ud800x", "\ufffdx"),
        ("number", Decimal("Infinity"), math.inf),
    ],
)
def test_a_value_becomes_what_its_column_holds(kind: Type, value: Any, stored: Any) -> None:
    found = taken(kind, [value, None])[1]
    assert (found, type(found[0])) == ([stored, None], type(stored))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", 1.5),
        ("integer", "7"),
        ("integer", math.inf),
        ("number", "x"),
        ("boolean", 2),
        ("date", "2026-01-01"),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_refused(kind: Type, value: Any) -> None:
    with pytest.raises(ValueError, match=f"is {kind} and cannot hold"):
        taken(kind, [value])


@pytest.mark.parametrize("row", [[], [1, 2]])
def test_a_row_of_another_width_is_refused(row: list[int]) -> None:
    with pytest.raises(ValueError, match="After row 0"):
        list(Batches([Column("a", "integer")], [[1], row], None))


def test_each_thousand_is_told_and_the_source_is_asked_once_at_the_end() -> None:
    told: list[Any] = []

    def source() -> Iterator[list[int]]:
        yield from ([n] for n in range(2500))
        told.append("ended")

    def incomplete() -> str:
        told.append("asked")
        return "cut"

    batches = Batches([Column("a", "integer")], source(), None, incomplete=incomplete, tick=told.append)
    assert [len(batch[0]) for batch in batches] == [1000, 1000, 500]
    assert told == [1000, 2000, "ended", 2500, "asked"]
    assert batches.written("a", "b").truncated == "a; b; cut"


def test_what_a_tick_raises_ends_the_rows() -> None:
    def stop(rows: int) -> None:
        raise InterruptedError(rows)

    batches = Batches([Column("a", "integer")], iter(lambda: [1], None), None, tick=stop)
    with pytest.raises(InterruptedError, match="1000"):
        list(batches)
