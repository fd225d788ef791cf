"""The points of a chart are even over the rows, and a pie's shares are true."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from webapi.services.formats import Chart
from webapi.services.formats.points import MOST, OTHER, Points, collector, drawable

LINE, PIE = Chart("line", "x", ("a", "b")), Chart("pie", "x", ("a",))


def gathered(chart: Chart, x: list[Any], *y: list[Any], batch: int = 97) -> Points:
    found = collector(chart)
    for start in range(0, len(x), batch):
        found.add(x[start : start + batch], [values[start : start + batch] for values in y])
    return found.points()


@pytest.mark.parametrize(("rows", "stride"), [(1, 1), (500, 1), (501, 2), (1000, 2), (1001, 4), (30_000, 64)])
def test_points_are_even_and_at_most_500(rows: int, stride: int) -> None:
    points = gathered(LINE, list(range(rows)), list(range(rows)), [-n for n in range(rows)])
    assert points.x == list(range(0, rows, stride))
    assert points.y == [[float(x) for x in points.x], [-float(x) for x in points.x]]
    assert (points.stride, len(points.x) <= MOST, points.note) == (stride, True, "sampled" if stride > 1 else None)


def test_nothing_to_draw_is_said() -> None:
    assert gathered(LINE, [], [], []).note == "nothing"
    assert gathered(LINE, [1, 2], [None, math.nan], [math.inf, 10**400]).note == "nothing"
    assert gathered(PIE, ["a"], [0]).note == "nothing"


def test_a_pie_shows_the_largest_and_the_sum_of_the_others() -> None:
    points = gathered(PIE, [f"n{n}" for n in range(300)], [Decimal(n) for n in range(300)])
    assert points.x == [*(f"n{n}" for n in range(299, 288, -1)), OTHER]
    assert points.y[0][-1] == sum(range(289))
    assert (sum(value or 0 for value in points.y[0]), points.note) == (sum(range(300)), "largest")


def test_a_pie_of_few_rows_has_no_others_and_of_negative_values_is_none() -> None:
    assert gathered(PIE, ["a", "b", "c"], [1, 3, None]).x == ["b", "a"]
    assert gathered(PIE, ["a", "b"], [1, -3]).note == "negative"


@pytest.mark.parametrize(("value", "drawn"), [(Decimal("1.5"), 1.5), (None, None), (math.nan, None), ("1", None)])
def test_only_finite_numbers_are_drawn(value: Any, drawn: float | None) -> None:
    assert drawable(value) == drawn
