"""The first sheet of a workbook as a text table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from webapi.errors import Invalid
from webapi.services.datasets import sheets
from webapi.services.datasets.ways import Ways
from webapi.services.queries.sources import Source

Copy = Callable[..., tuple[Source, list[list[str]], list[str]]]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """How to read the copy, its rows, and the notes."""

    def copy(*rows: list[Any], most: int = 10**9, **ways: Any) -> Any:
        book = Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(tmp_path / "book.xlsx")
        book_path, copy_path = tmp_path / "book.xlsx", tmp_path / "copy.csv"
        source, notes = sheets.as_text(book_path, Ways(**ways), copy_path, most, lambda _: None)
        with source.path.open(encoding="utf-8", newline="") as file:
            return source, list(csv.reader(file)), notes

    return copy


def test_rows_are_as_wide_as_the_widest(copy: Copy) -> None:
    _, rows, notes = copy(["a", "b"], [1, None, 3], ["x"])
    assert rows == [["a", "b", ""], ["1", "", "3"], ["x", "", ""]]
    assert notes == []


def test_cells_hold_what_they_hold(copy: Copy) -> None:
    _, rows, _ = copy(["a", "b"], ['a "quote", a comma', "two\nlines"], ["<b>", "007"])
    assert rows[1:] == [['a "quote", a comma', "two\nlines"], ["<b>", "007"]]


def test_a_formula_that_was_never_worked_out_is_told(copy: Copy) -> None:
    with pytest.raises(Invalid, match=r"^Row 2: Cell B2 is a formula without a stored value"):
        copy(["a", "b"], [1, "=A2+1"])


def test_titles_above_the_table_are_left_out_and_told(copy: Copy) -> None:
    _, rows, notes = copy(["Sales"], [], ["of March"], ["a", "b"], [1, 2], ["only"])
    assert rows == [["a", "b"], ["1", "2"], ["only", ""]]
    assert notes == ["2 rows above the table are left out."]


def test_a_person_can_say_how_many_lines_come_before(copy: Copy) -> None:
    content = (["Sales"], ["a", "b"], [1, 2])
    assert copy(*content, skip=0)[1][0] == ["Sales", ""]
    assert copy(*content, skip=2)[1:] == ([["1", "2"]], [])
    apart: tuple[list[Any], ...] = (["Sales"], [], [], ["a", "b"], [1, 2])
    assert copy(*apart, skip=3)[1] == [["a", "b"], ["1", "2"]]
    many = [["note"]] * 30
    assert copy(*many, ["a", "b"], [1, 2], skip=30)[1] == [["a", "b"], ["1", "2"]]


def test_one_column_has_no_title(copy: Copy) -> None:
    assert copy(["a"], [1], [2])[1] == [["a"], ["1"], ["2"]]


def test_what_was_said_goes_on_to_the_reader(copy: Copy) -> None:
    source, _, _ = copy(["a", "b"], [1, 2], header=False, date_format="%d.%m.%Y")
    assert (source.format, source.options.header, source.options.date_format) == ("csv", False, "%d.%m.%Y")


def test_an_empty_sheet_is_told(copy: Copy) -> None:
    with pytest.raises(Invalid, match="The sheet is empty"):
        copy()


def test_somebody_hears_how_far_it_is(tmp_path: Path) -> None:
    book = Workbook()
    for number in range(2_500):
        book.worksheets[0].append([number, "x"])
    book.save(tmp_path / "book.xlsx")
    heard: list[str] = []
    sheets.as_text(tmp_path / "book.xlsx", Ways(), tmp_path / "copy.csv", 10**9, heard.append)
    assert heard == ["0 rows of the sheet read", "1,000 rows of the sheet read", "2,000 rows of the sheet read"]


@pytest.mark.parametrize("rows", [[["x", *[None] * 999, "wide"], *[["x"]] * 200], [["é" * 1000]] * 100])
def test_a_small_workbook_that_is_a_large_table_is_refused_before_it_is_all_written(
    copy: Copy, tmp_path: Path, rows: list[list[Any]]
) -> None:
    with pytest.raises(Invalid, match="As a table the sheet is larger than 0 MB"):
        copy(*rows, most=100_000)
    assert (tmp_path / "book.xlsx").stat().st_size < 20_000
    assert sum(path.stat().st_size for path in tmp_path.glob("copy.*")) < 110_000
