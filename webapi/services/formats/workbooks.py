"""XLSX, by XlsxWriter: sheet by sheet and row by row, with nothing that a spreadsheet would run or follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from webapi.services.formats.batches import Batch, Batches
from webapi.services.formats.cells import cut, visible
from webapi.services.formats.spreadsheets import chart_sheet
from webapi.services.formats.table import NUMERIC, Column, Heading, Type, Written, plain

SHEET_ROWS = 1_048_576  # https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
LONGEST = 32_767  # UTF-16 units in a cell
DIGITS = 15  # a spreadsheet keeps no more of a number
FIRST_DAY = date(1900, 3, 1)  # before it, spreadsheets do not agree what day a number is
OPTIONS = {
    "constant_memory": True,
    "use_zip64": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_xlsx(path: Path, heading: Heading, batches: Batches) -> Written:
    """Sheets About, Data (and Data 2 and so on where there are more rows than a sheet holds), and Chart.

    Dates, moments, numbers and booleans are what they are to a spreadsheet; moments are in UTC. What it could not
    keep is text: numbers of more than 15 digits, NaN and the infinities, days before March 1900.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        about = book.add_worksheet("About")
        data = Data(book, batches.columns)
        for batch in batches:
            data.write(batch)
        data.end()
        truncated = None
        if data.cut:
            truncated = f"{data.cut:,} texts truncated at {LONGEST:,} characters because a cell holds no more"
        _about(about, book, heading, batches, truncated)
        if batches.points and heading.chart:
            chart_sheet(book, heading, batches.points.points())
    return batches.written(*[truncated] if truncated else [])


def _about(sheet: Any, book: Any, heading: Heading, batches: Batches, truncated: str | None) -> None:
    zone = " (UTC)" if heading.as_of.tzinfo else ""
    lines = [(name, value) for name, value in heading.parameters.items()]
    lines += [("As of" + zone, f"{plain(heading.as_of):%Y-%m-%d %H:%M:%S}"), ("Rows", f"{batches.rows:,}")]
    if any(column.type == "datetime" for column in batches.columns):
        lines.append(("Times", "in UTC, where they were written with a time zone"))
    if truncated:
        lines.append(("Truncated", truncated))
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, _cell(heading.title), book.add_format({"bold": True, "font_size": 16}))
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for row, (name, value) in enumerate(lines, 2):
        sheet.write_string(row, 0, _cell(name), bold)
        sheet.write_string(row, 1, _cell(value), wrapped)


class Data:
    """The sheets of rows."""

    def __init__(self, book: Any, columns: Any) -> None:
        self.cut = 0
        self._book, self._columns, self._sheets, self._row = book, list(columns), 0, 0
        self._widths: list[float] | None = None
        self._head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EBF0"})
        self._formats = {
            "boolean": book.add_format({"num_format": '"TRUE";"TRUE";"FALSE"'}),  # LibreOffice shows 1 and 0 otherwise
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "datetime": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        self._begin()

    def write(self, batch: Batch) -> None:
        if self._widths is None:
            self._widths = [_width(column, values) for column, values in zip(self._columns, batch, strict=True)]
        for values in zip(*batch, strict=True):
            if self._row == SHEET_ROWS:
                self.end()
                self._begin()
            row = self._row
            for number, value in enumerate(values):
                if value is not None:
                    self._writers[number](row, number, value)
            self._row = row + 1

    def _begin(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet("Data" if self._sheets == 1 else f"Data {self._sheets}")
        for number, column in enumerate(self._columns):
            self._sheet.write_string(0, number, _cell(column.name), self._head)
        writers: dict[Type, Callable[[int, int, Any], Any]] = {
            "text": self._text,
            "integer": self._number,
            "number": self._number,
            "boolean": self._boolean,
            "date": self._date,
            "datetime": self._moment,
        }
        self._writers = [writers[column.type] for column in self._columns]
        self._row = 1

    def end(self) -> None:
        """Freeze the header, size the columns, and put all of them on one page's width where it is printed."""
        self._sheet.freeze_panes(1, 0)
        self._sheet.repeat_rows(0)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        self._sheet.autofilter(0, 0, self._row - 1, len(self._columns) - 1)
        widths = self._widths or [_width(column, []) for column in self._columns]
        for number, width in enumerate(widths):
            self._sheet.set_column(number, number, width)

    def _text(self, row: int, number: int, value: str) -> None:
        text = visible(value)
        if len(text) > LONGEST // 2:
            kept = cut(text, LONGEST)
            self.cut += kept != text
            text = kept
        self._sheet.write_string(row, number, text)

    def _number(self, row: int, number: int, value: Any) -> None:
        if type(value) is float:
            if isfinite(value):
                self._sheet.write_number(row, number, value)
            else:
                self._sheet.write_string(row, number, str(value))
        elif -(10**DIGITS) < value < 10**DIGITS and (type(value) is int or _short(value)):
            self._sheet.write_number(row, number, value)
        else:
            self._sheet.write_string(row, number, str(value))

    def _boolean(self, row: int, number: int, value: bool) -> None:
        self._sheet.write_boolean(row, number, value, self._formats["boolean"])

    def _date(self, row: int, number: int, value: date) -> None:
        if value < FIRST_DAY:
            self._sheet.write_string(row, number, value.isoformat())
        else:
            self._sheet.write_datetime(row, number, value, self._formats["date"])

    def _moment(self, row: int, number: int, value: datetime) -> None:
        moment = plain(value)
        if moment.date() < FIRST_DAY:
            self._sheet.write_string(row, number, moment.isoformat(sep=" "))
        else:
            self._sheet.write_datetime(row, number, moment, self._formats["datetime"])


def _short(value: Decimal) -> bool:
    return len(value.as_tuple().digits) <= DIGITS and value.adjusted() > -300


def _cell(text: str) -> str:
    return cut(visible(text), LONGEST)


def _width(column: Column, values: list[Any]) -> float:
    """In characters: that of the longest of the first rows, within bounds."""
    fixed = {"boolean": 8, "date": 12, "datetime": 20}.get(column.type, 0)
    sample = [str(value)[:60] for value in values[:200] if value is not None] if not fixed else []
    longest = max((len(line) for text in sample for line in text.splitlines()), default=0)
    name = len(column.name) + 4  # room for the button of the filter
    return float(min(60, max(8, fixed, longest + (3 if column.type in NUMERIC else 1), name)))
