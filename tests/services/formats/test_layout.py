"""Every column has its place, and no word is wider than its column."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from webapi.services.formats.layout import (
    BREAK,
    INSET,
    MARGIN,
    PORTRAIT,
    WIDTHS,
    broken,
    lay_out,
    measured,
    on_one_line,
)


def columns(count: int, text: str) -> tuple[list[str], list[list[str]], list[bool]]:
    return [f"name {number}" for number in range(count)], [[text] * 3] * count, [False] * count


@pytest.mark.parametrize(
    ("count", "text", "landscape", "size"),
    [
        (5, "a few words", False, 9.0),
        (14, "shortest", False, 9.0),
        (18, "shortest", True, 9.0),
        (22, "someword", True, 6.0),
    ],
)
def test_paper_and_type_follow_the_columns(count: int, text: str, landscape: bool, size: float) -> None:
    layout = lay_out(*columns(count, text))
    assert (layout.width > layout.height, layout.size) == (landscape, size)
    assert max(layout.width, layout.height) == PORTRAIT[1]


@pytest.mark.parametrize("count", [1, 12, 20, 40, 100, 300])
@pytest.mark.parametrize("text", ["x", "word " * 50, "W" * 300, "2026-01-01 00:00:00 UTC"])
def test_all_columns_are_on_the_page(count: int, text: str) -> None:
    layout = lay_out(*columns(count, text))
    assert len(layout.columns) == count
    assert sum(layout.columns) <= layout.width - 2 * MARGIN + 0.01
    assert min(layout.columns) > 2 * INSET + layout.size
    assert layout.size >= 5


def test_dates_stay_on_one_line_where_there_is_room() -> None:
    texts = [["Jan 17, 2024"], ["word " * 30]]
    layout = lay_out(["day", "note"], texts, [True, False])
    assert layout.columns[0] - 2 * INSET >= measured("Jan 17, 2024") * layout.size * 0.99


def test_no_rows_and_no_words_are_laid_out() -> None:
    assert len(lay_out(["a", " "], [[], []], [False, True]).columns) == 2


@given(st.text(max_size=80), st.floats(1.5, 30))
def test_a_broken_text_is_the_text_and_fits(text: str, ems: float) -> None:
    found = broken(text, ems)
    assert found.replace(BREAK, "") == text.replace(BREAK, "")
    assert all(measured(part) <= ems for part in found.replace(BREAK, " ").split())


RULER = """#set text(font: ("Libertinus Serif", "DejaVu Sans"), size: 100pt, number-width: "tabular")
#let width(letter) = (measure("x" + (letter + "x") * 3).width.pt() - measure("xxxx").width.pt()) / 300
#context [#metadata(json("letters.json").map(width)) <widths>]"""


def test_no_letter_is_wider_than_it_is_taken_for(tmp_path: Path) -> None:
    letters = [letter for letter in WIDTHS if letter not in (BREAK, "\n")]
    (tmp_path / "letters.json").write_text(json.dumps(letters), "utf-8")
    (tmp_path / "ruler.typ").write_text(RULER, "utf-8")
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    compiler = typst.Compiler(tmp_path / "ruler.typ", root=tmp_path, font_paths=[fonts])
    found = json.loads(compiler.query("<widths>", field="value", one=True))
    wrong = {
        letter: width
        for letter, width in zip(letters, found, strict=True)
        if not -0.001 < WIDTHS[letter] - width < 0.051
    }
    assert (len(found) > 400, wrong) == (True, {})


@pytest.mark.parametrize(
    ("text", "sure"), [("", True), ("Ωμέγα Жук 1,204.50 €", True), ("a\nb", False), ("漢字", False), ("x" * 30, False)]
)
def test_what_is_on_one_line_is_certain(text: str, sure: bool) -> None:
    assert on_one_line(text, 14) == sure
