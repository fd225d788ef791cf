"""Scales, edges and fences, where numbers end."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from webapi.services.processing.figures import edges_of, fences, scale

ENDS = [(0.0, 1.0), (-1e308, 1e308), (5e-324, 1e-320), (1.0, 1.0), (1.0, math.nextafter(1.0, 2)), (-3.0, 1e200)]


@pytest.mark.parametrize(("low", "high"), ENDS)
def test_edges_rise_from_the_least_to_the_greatest(low: float, high: float) -> None:
    edges = edges_of({"min": low, "max": high}, "number")
    assert (edges[0], edges[-1], 2 <= len(edges) <= 21) == (low, high, True)
    assert all(left < right for left, right in pairwise(edges)) or low == high


def test_few_integers_have_a_bin_each() -> None:
    assert edges_of({"min": 3, "max": 6}, "integer") == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(("low", "high"), ENDS)
def test_a_scale_is_a_power_of_two_that_leaves_squares_finite(low: float, high: float) -> None:
    by = scale({"min": low, "max": high})
    assert math.frexp(by)[0] == 0.5
    assert math.isfinite((high * by) ** 2 * 1e9)


def test_fences_are_numbers() -> None:
    assert fences(1.0, 3.0) == (-2.0, 6.0)
    assert all(map(math.isfinite, fences(-1e308, 1e308)))
