"""Cells are typed, escaped, and never a formula."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from openpyxl.utils.datetime import from_excel

from tests.services.formats.sample import ODD
from webapi.services.formats import Type
from webapi.services.formats.cells import encodable, visible
from webapi.services.formats.cellxml import Cells, is_number

STYLES = {"head": 1, "boolean": 2, "date": 3, "datetime": 4}


def cell(kind: Type, value: Any) -> ElementTree.Element:
    (text,) = Cells(STYLES).column(kind, "B", 7, [value])
    found = ElementTree.fromstring(text)
    assert found.get("r") == "B7"
    return found


@given(ODD)
def test_any_text_is_a_text(text: str) -> None:
    found = cell("text", encodable(text) + ".")
    assert found.get("t") == "inlineStr"
    assert "".join(found.itertext()).replace("_x005F_", "_") == visible(encodable(text) + ".")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("_x0041_", "_x005F_x0041_"),
        ("a_x000d_b", "a_x005F_x000d_b"),
        ("_x41_", "_x41_"),
        ("_x0041", "_x0041"),
        (" a", " a"),
    ],
)
def test_what_spreadsheets_decode_is_escaped(text: str, written: str) -> None:
    found = cell("text", text)
    assert "".join(found.itertext()) == written
    assert ("space" in str(found[0][0].attrib)) == (text != text.strip())


@pytest.mark.parametrize(
    "value",
    [date(1900, 3, 1), date(9999, 12, 31), datetime.fromisoformat("2026-11-21 15:04:05.250"), date(2026, 2, 28)],
)
def test_a_day_and_a_moment_are_their_serial_number(value: date) -> None:
    kind: Type = "datetime" if isinstance(value, datetime) else "date"
    found = cell(kind, value)
    assert found.get("s") == str(STYLES[kind])
    serial = from_excel(float(found[0].text or ""))
    assert serial == (value if isinstance(value, datetime) else datetime.fromisoformat(value.isoformat()))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (10**15 - 1, True),
        (10**15, False),
        (Decimal("0.1"), True),
        (Decimal("1234567890.123456"), False),
        (Decimal("1E-400"), False),
        (float("nan"), False),
        (float("inf"), False),
        (-1.5e300, True),
    ],
)
def test_a_number_that_would_lose_digits_is_none(value: Any, kept: bool) -> None:
    assert is_number(value) == kept
    assert (cell("number", value).get("t") is None) == kept
