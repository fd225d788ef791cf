"""No text is a formula, and every text can be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.formats.sample import ODD
from webapi.services.formats.cells import cut, encodable, inert, visible


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "\ufeff=1", "＝1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert inert(text) == "'" + text
    assert inert("plain") == "plain"
    assert inert(-1) == -1


@given(ODD)
def test_what_is_encodable_and_visible_is_xml(text: str) -> None:
    shown = visible(encodable(text))
    assert shown.encode().decode() == shown
    assert not {character for character in shown if ord(character) < 0x20} - {"\t", "\n"}


@given(st.text(max_size=60), st.integers(2, 70))
def test_a_cut_text_is_the_beginning_of_the_text(text: str, most: int) -> None:
    kept, units = cut(text, most), len(text.encode("utf-16-le")) // 2
    assert len(kept.encode("utf-16-le")) // 2 <= most
    assert kept == text if units <= most else kept.endswith("…") and text.startswith(kept[:-1])
