"""The parameters of a statement that is kept: their types, and the values that somebody gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webapi.errors import Fault, Invalid
from webapi.services.queries import periods

MOST_TEXT = 10_000  # characters
# What DuckDB keeps exactly: a DECIMAL has 38 digits.
NUMBER = re.compile(r"[+-]?(?=\d|\.\d)(?=(?:\.?\d){1,38}(?!\.?\d))\d*(?:\.\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class Parameter(BaseModel):
    """One parameter, `$name` in the statement; a period is `$name_from` (its first day) and `$name_to` (the day after).

    Without a value and a default, what need not be given is NULL.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    type: Literal["text", "number", "date", "period", "choice"]
    label: str = Field(min_length=1, max_length=200)
    default: str | None = Field(default=None, max_length=MOST_TEXT)
    choices: tuple[str, ...] = ()
    required: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Parameter:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice, and nothing else, has choices")
        if any("," in choice or choice != choice.strip() or not choice for choice in self.choices):
            raise ValueError("a choice is a text without commas and without blanks at its ends")
        if self.default is not None:
            _value(self, self.default, date(2000, 1, 1))
        return self

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names that the statement uses, without `$`."""
        return (f"{self.name}_from", f"{self.name}_to") if self.type == "period" else (self.name,)


def bind(
    parameters: tuple[Parameter, ...] | list[Parameter], given: Mapping[str, str], timezone: str, now: datetime
) -> dict[str, Any]:
    """The values of the placeholders for what somebody gave. Invalid with one Fault for each parameter that is wrong.

    An empty text counts as not given, and nothing is trimmed from a text. `now`, which has a time zone, and the IANA
    zone `timezone` say what today is; ValueError when they do not.
    """
    today = periods.today_in(timezone, now)
    known = {parameter.name for parameter in parameters}
    faults = [_fault(name, "There is no such parameter.") for name in given if name not in known]
    values: dict[str, Any] = {}
    for parameter in parameters:
        try:
            found = _given(parameter, given.get(parameter.name) or parameter.default, today)
        except ValueError as error:
            faults.append(_fault(parameter.name, str(error)))
        else:
            values |= zip(parameter.placeholders, found, strict=True)
    if faults:
        raise Invalid(faults=tuple(faults))
    return values


def _given(parameter: Parameter, text: str | None, today: date) -> tuple[Any, ...]:
    if text:
        return _value(parameter, text, today)
    if parameter.required:
        raise ValueError("A value is needed.")
    return (None,) * len(parameter.placeholders)


def _value(parameter: Parameter, text: str, today: date) -> tuple[Any, ...]:
    match parameter.type:
        case "text" if len(text) > MOST_TEXT:
            raise ValueError(f"Write at most {MOST_TEXT:,} characters.")
        case "choice" if text not in parameter.choices:
            raise ValueError(f"Choose one of {', '.join(parameter.choices)}.")
        case "number":
            return (_number(text.strip()),)
        case "date":
            return (_date(text.strip()),)
        case "period":
            return periods.days(text.strip(), today)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("Half a character is no text.")
    return (text,)


def _number(text: str) -> int | Decimal:
    if not NUMBER.fullmatch(text):
        raise ValueError("Write a number of at most 38 digits, as in 12 or -3.5.")
    return int(text) if WHOLE.fullmatch(text) else Decimal(text)


def _date(text: str) -> date:
    try:
        return periods.day(text)
    except ValueError:
        raise ValueError("Write a day as in 2026-01-31.") from None


def _fault(name: str, message: str) -> Fault:
    pointer = name.replace("~", "~0").replace("/", "~1")
    return Fault(f"/parameters/{pointer}", message)
