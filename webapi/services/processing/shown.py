"""Texts and numbers as a result may hold them: short, visible, and JSON."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

from webapi.services.formats.cells import encodable, visible

LONGEST = 100  # characters of a text in a result
EXACT = 2**53  # beyond, not every reader of JSON keeps an integer


def short(text: str) -> str:
    """What of a text is shown, on one line; a cut one ends with an ellipsis."""
    shown = visible(encodable(text[: LONGEST + 1])).replace("\n", " ")
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def plain(value: Any) -> Any:
    """A value as JSON has it. A number that JSON's readers would round is a text, and so is a date."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return value if abs(value) <= EXACT else str(value)
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return plain(int(value)) if whole else _decimal(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return short(str(value))


def _decimal(value: Decimal) -> float | str:
    return float(value) if Decimal(repr(float(value))) == value else str(value)
