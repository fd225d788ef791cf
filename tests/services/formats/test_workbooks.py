"""XLSX reads back as what was written: types, not formulas."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings

from tests.services.formats.sample import COLUMNS, ODD, heading, odd, rows, written
from webapi.services.formats import Column, Type, sheets, write
from webapi.services.formats.cells import encodable, visible


def read(path: Path, sheet: str = "Data") -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(path, read_only=True)
    found = list(book[sheet].values)
    book.close()
    return found


def kept(path: Path, kind: Type, *values: Any) -> list[Any]:
    write(path, "xlsx", heading(), [Column("a", kind)], [[value] for value in values])
    return [value for (value,) in read(path)[1:]]


def test_rows_read_back_with_their_types(tmp_path: Path) -> None:
    done = written(tmp_path / "a.xlsx", "xlsx", 1500)
    head, *found = read(tmp_path / "a.xlsx")
    assert head == tuple(column.name for column in COLUMNS)
    for line, (number, name, price, ratio, is_open, day, at, note) in zip(found, rows(1500), strict=True):
        assert line[:3] == (number, name, float(price))
        assert line[3] == pytest.approx(ratio, rel=1e-15)
        assert (line[4], line[5].date(), line[7]) == (is_open, day, note)
        assert abs((line[6] - at.replace(tzinfo=None)).total_seconds()) < 0.001
    assert done.totals["id"] == sum(line[0] for line in found)
    assert float(done.totals["price"]) == pytest.approx(sum(line[2] for line in found), rel=1e-12)


def test_the_header_is_frozen_and_can_be_filtered(tmp_path: Path) -> None:
    written(tmp_path / "a.xlsx", "xlsx", 10)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    sheet = book["Data"]
    assert book.sheetnames == ["About", "Data", "Manifest"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:H11")
    assert sheet.column_dimensions["G"].width > sheet.column_dimensions["A"].width
    assert {sheet["F2"].number_format, sheet["G2"].number_format} == {"yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"}


def test_the_first_sheet_says_what_the_rows_are(tmp_path: Path) -> None:
    written(tmp_path / "a.xlsx", "xlsx", 1500)
    about = read(tmp_path / "a.xlsx", "About")
    assert about[0][0] == "Sales & <more>"
    assert {("Region", "=1+1 <all>"), ("As of (UTC)", "2026-11-21 09:00:00"), ("Rows", "1,500")} <= set(about)


def test_no_text_is_a_formula_a_link_or_a_number(tmp_path: Path) -> None:
    texts = ["=1+1", "{=1}", "http://example.com", "mailto:a@example.com", "123", "1e5", "+1", "@A"]
    assert kept(tmp_path / "a.xlsx", "text", *texts) == texts
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Data"]
    assert {cell.data_type for (cell,) in sheet.iter_rows(min_row=2)} == {"s"}
    assert not any(cell.hyperlink for (cell,) in sheet.iter_rows())


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("integer", 999_999_999_999_999, 999_999_999_999_999),
        ("integer", 1234567890123456, "1234567890123456"),
        ("number", Decimal("12345678901234.5678"), "12345678901234.5678"),
        ("number", float("nan"), "nan"),
        ("number", float("-inf"), "-inf"),
        ("number", 1.5e300, 1.5e300),
        ("date", date(1900, 2, 28), "1900-02-28"),
        ("date", date(9999, 12, 31), datetime.fromisoformat("9999-12-31")),
        ("datetime", datetime(1850, 1, 1, tzinfo=UTC), "1850-01-01 00:00:00"),
    ],
)
def test_what_a_spreadsheet_would_change_is_text(tmp_path: Path, kind: Type, value: Any, stored: Any) -> None:
    assert kept(tmp_path / "a.xlsx", kind, value) == [stored]


def test_a_text_that_is_too_long_is_cut_and_that_is_said(tmp_path: Path) -> None:
    texts = ["x" * 32_767, "x" * 32_768, "😀" * 20_000]
    done = write(tmp_path / "a.xlsx", "xlsx", heading(), [Column("a", "text")], [[text] for text in texts])
    found = [value for (value,) in read(tmp_path / "a.xlsx")[1:]]
    assert found == [texts[0], "x" * 32_766 + "…", "😀" * 16_383 + "…"]
    assert done.truncated == "2 texts truncated at 32,767 characters because a cell holds no more"
    assert ("Truncated", done.truncated) in read(tmp_path / "a.xlsx", "About")


def test_rows_beyond_a_sheet_go_to_the_next_with_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 1001)  # a limit of Excel, made small
    done = written(tmp_path / "a.xlsx", "xlsx", 2500)
    found = [read(tmp_path / "a.xlsx", name) for name in ("Data", "Data 2", "Data 3")]
    assert [len(sheet) for sheet in found] == [1001, 1001, 501]
    assert len({sheet[0] for sheet in found}) == 1
    assert [row[0] for sheet in found for row in sheet[1:]] == list(range(2500))
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert [book[name].auto_filter.ref for name in ("Data", "Data 2", "Data 3")] == ["A1:H1001", "A1:H1001", "A1:H501"]
    assert [book[name].freeze_panes for name in ("Data", "Data 2", "Data 3")] == ["A2"] * 3
    assert done.truncated is None


@settings(deadline=None, max_examples=60)
@given(ODD)
def test_any_text_can_be_read(text: str) -> None:
    with TemporaryDirectory() as folder:
        odd(Path(folder, "a.xlsx"), "xlsx", text, name="x" + text)
        head, *found = read(Path(folder, "a.xlsx"))
    shown = visible(encodable(text))
    assert [plain(row[0]) for row in found] == [shown] * 2
    assert plain(head[0]) == "x" + shown


def plain(value: Any) -> str:
    """openpyxl reads an empty text as None and leaves what Excel escapes: _x005F_ is an underscore."""
    return (value or "").replace("_x005F_", "_")
