"""A profile against the same figures counted in plain Python."""

from __future__ import annotations

import json
import math
import random
import statistics
from bisect import bisect_left
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.processing.conftest import Desk

SHARES = {"5": 0.05, "25": 0.25, "50": 0.5, "75": 0.75, "95": 0.95}


def quantile(values: list[float], share: float) -> float:
    """Between the two that are nearest, as statistics.quantiles(method="inclusive") does."""
    place = (len(values) - 1) * share
    low, part = math.floor(place), place - math.floor(place)
    ordered = sorted(values)
    return ordered[low] + (ordered[min(low + 1, len(values) - 1)] - ordered[low]) * part


def check_numbers(found: dict[str, Any], values: list[float]) -> None:
    assert found["mean"] == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-12)
    expected = statistics.stdev(values) if len(values) > 1 else None
    assert found["std"] == (expected if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-9))
    for name, share in SHARES.items():
        assert found["quantiles"][name] == pytest.approx(quantile(values, share), rel=1e-9, abs=1e-12)
    quartile, third = found["quantiles"]["25"], found["quantiles"]["75"]
    low, high = quartile - 1.5 * (third - quartile), third + 1.5 * (third - quartile)
    beyond = sorted(value for value in values if value < low or value > high)
    assert found["outliers"]["count"] == len(beyond)
    assert set(found["outliers"]["examples"]) <= set(beyond)
    edges, counts = found["histogram"]["edges"], [0] * len(found["histogram"]["counts"])
    for value in values:
        counts[max(0, bisect_left(edges, value) - 1)] += 1
    assert (found["histogram"]["counts"], len(counts) <= 20) == (counts, True)


def test_numbers_are_measured_exactly(desk: Desk) -> None:
    random.seed(11)
    values = [round(random.lognormvariate(2, 1), 3) for _ in range(2000)] + [1e6, -1e6]
    whole = [random.randrange(100) for _ in values]
    rows = [{"x": value, "n": number} for value, number in zip(values, whole, strict=True)]
    found = desk.profile([*rows, {"x": None, "n": 3}, *rows[:7]])
    assert (found["rows"], found["duplicates"]) == (len(rows) + 8, 7)
    assert (found["x"]["nulls"], found["x"]["distinct"]) == (1, len(set(values)))
    assert (found["x"]["min"], found["x"]["max"], found["x"]["approximate"]) == (-1e6, 1e6, [])
    check_numbers(found["x"], values + values[:7])
    check_numbers(found["n"], [*map(float, whole), 3.0, *map(float, whole[:7])])


NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0, -0.5, 1e-12]))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_any_numbers_are_measured_as_python_does(desk: Desk, values: list[float]) -> None:
    check_numbers(desk.profile([{"x": value} for value in [*values, 0.5]])["x"], [*values, 0.5])


@pytest.mark.parametrize("values", [[1e308, 1e308, -1e308], [1e-320, 5e-320, 3e-320], [5.0], [2**62, 2**62 + 1]])
def test_numbers_at_the_ends_of_what_numbers_are_have_figures_too(desk: Desk, values: list[float]) -> None:
    found = desk.profile("x\n" + "".join(f"{value!r}\n" for value in values))["x"]
    assert found["mean"] == pytest.approx(math.fsum(value / 4 for value in values) / len(values) * 4, rel=1e-9, abs=0)
    assert sum(found["histogram"]["counts"]) == len(values)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_is_not_finite_is_counted_apart(desk: Desk) -> None:
    found = desk.profile("x\n1.5\nnan\ninf\n-inf\nNaN\n2.5\n")["x"]
    assert found["not_finite"] == {"nan": 2, "infinite": 1, "negative_infinite": 1}
    assert (found["min"], found["max"], found["mean"], found["nulls"]) == (1.5, 2.5, 2.0, 0)
    assert sum(found["histogram"]["counts"]) == 2


def test_a_column_of_nothing_but_nan_has_no_figures(desk: Desk) -> None:
    found = desk.profile("x\n1.5\nnan\n", filter="isnan(x)")["x"]
    assert (found["min"], found.get("mean"), found["not_finite"]) == (None, None, {"nan": 1})


def test_texts_are_counted_and_told_apart_by_all_their_letters(desk: Desk) -> None:
    random.seed(3)
    long = "x" * 500
    values = [random.choice(["a", "b", "", long + "1", long + "2", "é" * 3]) for _ in range(500)] + ["zz"]
    found = desk.profile([{"t": value} for value in [*values, None]])["t"]
    counted = Counter(values)
    assert (found["distinct"], found["empty"], found["nulls"]) == (len(counted), counted[""], 1)
    assert (found["shortest"], found["longest"]) == (0, 501)
    assert [each["count"] for each in found["top"]] == [count for _, count in counted.most_common(5)]
    assert all(len(each["value"]) <= 100 for each in found["top"])
    assert (found["min"], found["max"]) == ("", "é" * 3)


def test_dates_have_a_range_and_a_histogram_without_gaps(desk: Desk) -> None:
    found = desk.profile("d,t\n2023-11-05,2024-01-01 10:00:00\n2024-02-29,2024-01-01 12:30:00\n2024-02-01,\n")
    assert (found["d"]["min"], found["d"]["max"]) == ("2023-11-05", "2024-02-29")
    assert found["d"]["histogram"]["unit"] == "week"
    assert (len(found["d"]["histogram"]["counts"]), sum(found["d"]["histogram"]["counts"])) == (18, 3)
    assert found["t"]["histogram"] == {
        "unit": "hour",
        "from": ["2024-01-01T10:00:00", "2024-01-01T11:00:00", "2024-01-01T12:00:00"],
        "counts": [1, 0, 1],
    }


def test_dates_before_and_after_the_calendar_do_no_harm(desk: Desk) -> None:
    found = desk.profile("d\n0001-01-01\n9999-12-31\n2024-01-01\n")["d"]
    assert (found["histogram"]["unit"], sum(found["histogram"]["counts"])) == ("millennium", 3)
    odd = desk.profile("d\n2024-01-01\ninfinity\n", types={"d": "text"}, filter="d <> ''")["d"]
    assert odd["distinct"] == 2


def test_yes_and_no_are_counted(desk: Desk) -> None:
    found = desk.profile([{"b": True}, {"b": False}, {"b": True}, {"b": None}])["b"]
    assert (found["type"], found["true"], found["false"], found["nulls"], found["distinct"]) == ("boolean", 2, 1, 1, 2)


def test_estimates_say_so_and_are_near(desk: Desk) -> None:
    values = [{"n": number, "t": f"t{number % 60_000}", "few": number % 7} for number in range(120_000)]
    found = desk.profile(values + [{"n": 0, "t": "common", "few": 0}] * 3000, cells=1000)
    assert (found["n"]["approximate"], found["t"]["approximate"], found["few"]["approximate"]) == (
        ["distinct", "quantiles", "outliers"],
        ["distinct", "top"],
        ["quantiles", "outliers"],
    )
    assert found["n"]["distinct"] == pytest.approx(120_000, rel=0.1)
    assert found["n"]["quantiles"]["50"] == pytest.approx(58_500, rel=0.05)
    assert found["few"]["distinct"] == 7
    assert found["t"]["top"][0] == {"value": "common", "count": 3000}


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ([{"a": 1}, {"b": 2}], ["a", "b"]),
        ([{'a"b': 1, "SELECT": 2, "c; DROP TABLE data": 3}], ['a"b', "SELECT", "c; DROP TABLE data"]),
        ([[1, 2], [3]], ["value"]),
        ([{"n": {"x": [1]}, "m": []}], ["n", "m"]),
        (["text"], ["value"]),
        ([None], ["value"]),
    ],
)
def test_any_shape_of_data_has_its_columns(desk: Desk, data: Any, names: list[str]) -> None:
    found = desk.profile(data)
    assert [name for name in found if name not in {"rows", "duplicates"}] == names
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_header_alone_is_a_table_without_rows(desk: Desk) -> None:
    found = desk.profile("a,b\n")
    assert (found["rows"], found["duplicates"], list(found)[2:]) == (0, 0, ["a", "b"])


@pytest.mark.soak
def test_300_columns_are_profiled_in_batches(desk: Desk) -> None:
    names = [f"c{number}" for number in range(320)]
    rows = [[str(number * row + 0.5) for number in range(320)] for row in range(4)]
    found = desk.profile("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    assert [found[f"c{number}"]["max"] for number in range(320)] == [3 * number + 0.5 for number in range(320)]
