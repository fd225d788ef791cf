"""What a definition takes, and what its parameters come to mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from webapi.errors import Invalid
from webapi.services.formats import Chart
from webapi.services.reports.built_in import BUILT_IN
from webapi.services.reports.definition import Definition

NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # the first of April in Zurich
PARAMETERS: list[dict[str, Any]] = [
    {"name": "period", "type": "period", "label": "Period", "default": "last_month"},
    {"name": "city", "type": "text", "label": "City", "required": False},
    {"name": "least", "type": "number", "label": "At least", "default": "10"},
]
GIVEN = {"title": "T", "sql": "SELECT $period_from, $city, $least", "parameters": PARAMETERS}


def test_pinned_values_mean_the_same_later() -> None:
    definition = Definition.model_validate(GIVEN)
    assert definition.pinned({}, "UTC", NOW) == {"period": "2026-02-01..2026-02-28", "least": "10"}
    pinned = definition.pinned({"city": "Bern"}, "Europe/Zurich", NOW)
    assert pinned == {"period": "2026-03-01..2026-03-31", "city": "Bern", "least": "10"}
    later = datetime(2030, 1, 1, tzinfo=UTC)
    assert definition.bound(pinned, "Asia/Tokyo", later) == {
        "period_from": date(2026, 3, 1), "period_to": date(2026, 4, 1), "city": "Bern", "least": 10,
    }  # fmt: skip
    assert definition.labelled(pinned) == {"Period": "2026-03-01..2026-03-31", "City": "Bern", "At least": "10"}


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        Definition.model_validate(GIVEN).pinned({"least": "many", "town": "x"}, "UTC", NOW)
    assert {fault.pointer for fault in caught.value.faults} == {"/parameters/least", "/parameters/town"}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "a\nb"},
        {"sql": ""},
        {"sql": "  \n"},
        {"sql": "SELECT '\0'"},
        {"sql": "x" * 100_001},
        {"parameters": [PARAMETERS[1], PARAMETERS[1]]},
        {"parameters": [PARAMETERS[0], {"name": "period_to", "type": "date", "label": "x"}]},
        {"parameters": [{**PARAMETERS[1], "name": "Bad Name"}]},
        {"chart": {"kind": "bar", "x": "a", "y": []}},
        {"chart": {"kind": "donut", "x": "a", "y": ["b"]}},
        {"locale": "../de"},
        {"owner_id": "x"},
    ],
)
def test_anything_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Definition.model_validate({**GIVEN, **changes})


def test_a_chart_is_one_of_the_formats() -> None:
    chart = {"kind": "line", "x": "day", "y": ["a", "b"]}
    drawing = Definition.model_validate({**GIVEN, "chart": chart}).chart
    assert drawing is not None
    assert drawing.chart() == Chart("line", "day", ("a", "b"))


def test_what_is_built_in_takes_a_period_and_a_kind() -> None:
    for definition in BUILT_IN.values():
        assert definition.pinned({"kind": "email.send"}, "UTC", NOW) == {
            "period": "2026-03-02..2026-03-31", "kind": "email.send",
        }  # fmt: skip
