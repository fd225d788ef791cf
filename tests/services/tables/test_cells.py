"""The values of cells as a person would write them."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree

import pytest

from webapi.services.tables.cells import SPACE, Styles, Unreadable, column_of, value_of

STYLES = Styles(datetime(1899, 12, 30), frozenset({1, 2}), frozenset({2}))  # noqa: DTZ001 - Excel knows no zones
TEXTS = ["zero", "one"]


def value(xml: str) -> str:
    return value_of(ElementTree.fromstring(f'<x xmlns="{SPACE[1:-1]}">{xml}</x>')[0], TEXTS, STYLES)


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<c><v>5</v></c>", "5"),
        ("<c><v>5.0</v></c>", "5"),
        ("<c><v>-12.5</v></c>", "-12.5"),
        ("<c><v>4.917212345678E+12</v></c>", "4917212345678"),
        ("<c><v>1E+300</v></c>", "1e+300"),
        ("<c><v>12345678901234567890</v></c>", "12345678901234567890"),
        ('<c s="1"><v>46347</v></c>', "2026-11-21"),
        ('<c s="1"><v>46347.604166666664</v></c>', "2026-11-21 14:30"),
        ('<c s="1"><v>46347.604178240742</v></c>', "2026-11-21 14:30:01"),
        ('<c s="1"><v>0.604166666666667</v></c>', "14:30"),
        ('<c s="2"><v>1.5</v></c>', "36:00:00"),
        ('<c t="d"><v>2026-11-21T14:30:00</v></c>', "2026-11-21 14:30"),
        ('<c t="d"><v>2026-11-21</v></c>', "2026-11-21"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="s"><v>1</v></c>', "one"),
        ('<c t="str"><f>A1&amp;B1</f><v>stored</v></c>', "stored"),
        ('<c t="str"><f>""</f><v></v></c>', ""),
        ("<c/>", ""),
        ('<c s="1"/>', ""),
        ('<c t="inlineStr"><is><t>a_x000D_b_x005F_x000D_</t></is></c>', "a\rb_x000D_"),
        ('<c t="inlineStr"><is><r><t>bold</t></r><r><t> plain</t></r><rPh><t>no</t></rPh></is></c>', "bold plain"),
    ],
)
def test_a_cell_becomes_text(xml: str, text: str) -> None:
    assert value(xml) == text


@pytest.mark.parametrize(
    ("xml", "kind"),
    [
        ("<c><f>A1+1</f></c>", Unreadable),
        ('<c s="1"><v>1e30</v></c>', Unreadable),
        ("<c><f>A1+1</f><v/></c>", Unreadable),
        ("<c><v>five</v></c>", ValueError),
        ("<c><v>nan</v></c>", ValueError),
        (f"<c><v>{'9' * 5_000}</v></c>", ValueError),
        ('<c t="s"><v>2</v></c>', IndexError),
        ('<c t="s"><v>-1</v></c>', IndexError),
        ('<c t="d"><v>tomorrow</v></c>', ValueError),
    ],
)
def test_a_cell_without_a_value_to_be_had_is_an_error(xml: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        value(xml)


@pytest.mark.parametrize(("name", "column"), [("A1", 1), ("AB7", 28), ("XFD1048576", 16_384)])
def test_a_column_is_counted_from_its_letters(name: str, column: int) -> None:
    assert column_of(name) == column


@pytest.mark.parametrize("name", ["XFE1", "7", "a1", "A1B", "Z" * 1_000_000])
def test_a_column_that_no_sheet_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        column_of(name)
