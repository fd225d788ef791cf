"""Sheets of rows are what a spreadsheet reads, however many there are."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from tests.services.formats.sample import heading, written
from webapi.services.formats import Column, sheets, write
from webapi.services.formats.sheets import letters, width


@pytest.mark.parametrize("number", [0, 25, 26, 51, 701, 702, 16_383])
def test_columns_are_called_as_spreadsheets_call_them(number: int) -> None:
    assert letters(number) == get_column_letter(number + 1)


def test_a_sheet_that_grows_too_large_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_BYTES", 400_000)  # a limit of packages, made small
    written(tmp_path / "a.xlsx", "xlsx", 3000)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    found = [list(book[name].values) for name in book.sheetnames if name.startswith("Data")]
    assert len(found) > 1
    assert [row[0] for sheet in found for row in sheet[1:]] == list(range(3000))
    assert {sheet[0][0] for sheet in found} == {"id"}


def test_no_rows_are_a_sheet_with_a_header(tmp_path: Path) -> None:
    written(tmp_path / "a.xlsx", "xlsx", 0)
    assert len(list(openpyxl.load_workbook(tmp_path / "a.xlsx")["Data"].values)) == 1


def test_every_row_has_its_last_cell(tmp_path: Path) -> None:
    columns = [Column("a", "text"), Column("b", "integer")]
    write(tmp_path / "a.xlsx", "xlsx", heading(), columns, [["x", None], [None, None], [None, 1]])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)
    assert list(book["Data"].values) == [("a", "b"), ("x", None), (None, None), (None, 1)]
    book.close()


def test_a_column_is_as_wide_as_what_stands_in_it() -> None:
    assert width(Column("a", "text"), ["x" * 20, None]) == 21
    assert width(Column("a", "text"), ["x" * 2000]) == 60
    assert width(Column("a name that is long", "boolean"), [True]) == 23
