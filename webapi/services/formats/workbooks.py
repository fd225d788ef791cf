"""XLSX: XlsxWriter makes the workbook, and the rows stream into it; nothing in it runs or is followed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from webapi.services.formats.batches import Batches
from webapi.services.formats.cells import cut, visible
from webapi.services.formats.cellxml import LONGEST, is_number
from webapi.services.formats.locales import Language
from webapi.services.formats.proof import entries
from webapi.services.formats.sheets import Sheets
from webapi.services.formats.spreadsheets import chart_sheet
from webapi.services.formats.table import Heading, Written, plain

OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
FORMATS = {
    "head": {"bold": True, "bottom": 1, "bg_color": "#E8EBF0"},
    "boolean": {"num_format": '"TRUE";"TRUE";"FALSE"'},  # LibreOffice shows 1 and 0 otherwise
    "date": {"num_format": "yyyy-mm-dd"},
    "datetime": {"num_format": "yyyy-mm-dd hh:mm:ss"},
}


def write_xlsx(path: Path, heading: Heading, batches: Batches) -> Written:
    """Sheets About, Data (and Data 2 and so on where there are more rows than a sheet holds), Chart and Manifest.

    Dates, moments, numbers and booleans are what they are to a spreadsheet; moments are in UTC. What it could not
    keep is text: numbers of more than 15 digits, NaN and the infinities, days before March 1900.
    """
    import xlsxwriter

    made = BytesIO()
    book = xlsxwriter.Workbook(made, OPTIONS)
    styles = {name: book.add_format(of)._get_xf_index() for name, of in FORMATS.items()}
    about = book.add_worksheet("About")
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as package:
        with Sheets(package, 2, list(batches.columns), styles) as data:
            for batch in batches:
                data.write(batch)
            data.end()
        reasons = [f"{data.cut:,} texts truncated at {LONGEST:,} characters because a cell holds no more"]
        written = batches.written(*reasons if data.cut else [])
        ours = [f"xl/worksheets/sheet{number}.xml" for number in range(2, 2 + len(data.ends))]
        for number, end in enumerate(data.ends, 1):
            sheet = book.add_worksheet("Data" if number == 1 else f"Data {number}")
            sheet.repeat_rows(0)
            sheet.autofilter(0, 0, end - 1, len(batches.columns) - 1)
        _about(about, book, heading, batches, written)
        if batches.points and heading.chart:
            chart_sheet(book, heading, batches.points.points())
        _manifest(book, heading, written)
        book.close()
        _copy(made, package, ours)
    return written


def _copy(made: BytesIO, package: ZipFile, but: list[str]) -> None:
    with ZipFile(made) as parts:
        for name in parts.namelist():
            if name not in but:
                with package.open(name, "w") as part:
                    part.write(parts.read(name))


def _about(sheet: Any, book: Any, heading: Heading, batches: Batches, written: Written) -> None:
    zone = " (UTC)" if heading.as_of.tzinfo else ""
    facts = [*heading.about.items(), *heading.parameters.items()]
    facts += [("As of" + zone, f"{plain(heading.as_of):%Y-%m-%d %H:%M:%S}"), ("Rows", f"{batches.rows:,}")]
    if any(column.type == "datetime" for column in batches.columns):
        facts.append(("Times", "in UTC, where they were written with a time zone"))
    _title(sheet, book, heading.title)
    row = 2
    if written.truncated:
        red = book.add_format({"bold": True, "font_color": "#B3261E", "text_wrap": True, "valign": "top"})
        sheet.write_string(row, 0, "Truncated", red)
        sheet.write_string(row, 1, _cell(written.truncated), red)
        row += 2
    _listed(sheet, book, row, facts)


def _manifest(book: Any, heading: Heading, written: Written) -> None:
    sheet = book.add_worksheet("Manifest")
    _title(sheet, book, "Manifest")
    _listed(sheet, book, 2, entries(heading, written, Language("en")))


def _title(sheet: Any, book: Any, title: str) -> None:
    sheet.fit_to_pages(1, 0)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, _cell(title), book.add_format({"bold": True, "font_size": 16}))


def _listed(sheet: Any, book: Any, first: int, facts: list[tuple[str, Any]]) -> None:
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "align": "left"})
    sheet.set_column(0, 0, max(24, *(min(60, len(name) + 3) for name, _ in facts)))
    for row, (name, value) in enumerate(facts, first):
        sheet.write_string(row, 0, cut(visible(name), 60), bold)
        if isinstance(value, int | Decimal) and is_number(value):
            sheet.write_number(row, 1, value, wrapped)
        else:
            text = Language("en").moment(value) if isinstance(value, datetime) else str(value)
            sheet.write_string(row, 1, _cell(text), wrapped)


def _cell(text: str) -> str:
    return cut(visible(text), LONGEST)
