"""Parameters: their definition, what somebody gives, and the placeholders of a statement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from webapi.errors import Invalid
from webapi.services.queries.parameters import Parameter, bind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def parameter(**values: Any) -> Parameter:
    return Parameter(**{"name": "x", "type": "text", "label": "X"} | values)


def value(given: str, **values: Any) -> Any:
    return bind([parameter(**values)], {"x": given}, "Europe/Berlin", NOW)


def fault(given: dict[str, str], **values: Any) -> str:
    with pytest.raises(Invalid) as caught:
        bind([parameter(**values)], given, "Europe/Berlin", NOW)
    (found,) = caught.value.faults
    assert found.pointer == "/parameters/x"
    return found.message


def test_each_type_gives_its_own_kind_of_value() -> None:
    assert value(" a'; DROP TABLE x\0 ") == {"x": " a'; DROP TABLE x\0 "}
    assert value("12", type="number") == {"x": 12}
    assert value("-3.50", type="number") == {"x": Decimal("-3.50")}
    assert value("9" * 38, type="number") == {"x": int("9" * 38)}
    assert value("2028-02-29", type="date") == {"x": date(2028, 2, 29)}
    assert value("b", type="choice", choices=("a", "b")) == {"x": "b"}
    assert value("last_month", type="period") == {"x_from": date(2026, 10, 1), "x_to": date(2026, 11, 1)}


def test_the_default_stands_in_and_what_need_not_be_given_is_null() -> None:
    assert bind([parameter(default="d")], {}, "UTC", NOW) == {"x": "d"}
    assert bind([parameter(default="d")], {"x": ""}, "UTC", NOW) == {"x": "d"}
    assert bind([parameter(required=False)], {}, "UTC", NOW) == {"x": None}
    assert bind([parameter(type="period", required=False)], {}, "UTC", NOW) == {"x_from": None, "x_to": None}


@pytest.mark.parametrize("text", ["1e5", "NaN", "Infinity", "1,5", "0x10", "1_000", "١٢", ".", "-", "9" * 39, "1 2"])
def test_what_is_no_exact_number_is_refused(text: str) -> None:
    assert fault({"x": text}, type="number") == "Write a number of at most 38 digits, as in 12 or -3.5."


def test_each_fault_has_its_sentence() -> None:
    assert fault({}) == "A value is needed."
    assert fault({"x": "c"}, type="choice", choices=("a", "b")) == "Choose one of a, b."
    assert fault({"x": "31.01.2026"}, type="date") == "Write a day as in 2026-01-31."
    assert fault({"x": "x" * 10_001}) == "Write at most 10,000 characters."
    assert fault({"x": "\ud800"}) == "Half a character is no text."
    assert fault({"x": "soon"}, type="period").startswith("Write one of today, yesterday")


def test_all_faults_are_told_at_once() -> None:
    wanted = [parameter(name="a"), parameter(name="b", type="date"), parameter(name="c")]
    with pytest.raises(Invalid) as caught:
        bind(wanted, {"b": "x", "c": "x", "d/e~": "x"}, "UTC", NOW)
    pointers = [each.pointer for each in caught.value.faults]
    assert pointers == ["/parameters/d~1e~0", "/parameters/a", "/parameters/b"]


@pytest.mark.parametrize(
    "values",
    [
        {"type": "choice"},
        {"choices": ("a",)},
        {"type": "date", "default": "soon"},
        {"type": "choice", "choices": ("a",), "default": "b"},
        {"name": "X"},
        {"name": 'x"; DROP'},
        {"name": "1"},
        {"label": ""},
        {"extra": 1},
    ],
)
def test_a_definition_that_cannot_work_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parameter(**values)
