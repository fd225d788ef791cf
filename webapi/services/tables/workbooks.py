"""The first sheet of an XLSX workbook as records, in memory that does not grow with its rows.

openpyxl reads what is small: which sheets there are, and which styles mean a date. Its reader of sheets fills gaps
with empty rows (one cell in row 1,000,000,000 never ends) and keeps a node for each row, so rows are read here.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree  # nosec B405
from xml.parsers import expat
from zipfile import BadZipFile

from webapi.errors import Invalid
from webapi.services.tables.cells import SPACE, Styles, Unreadable, column_of, rich_text, value_of
from webapi.services.tables.packages import Package, local_name, open_package

MOST_TEXTS = 100_000_000  # bytes that all shared texts may take in memory: a million of fifty letters
MOST_ROWS = 1_048_576  # of a sheet in Excel; empty ones of 6 bytes would take the processor, if not the memory
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
BROKEN = (expat.ExpatError, ElementTree.ParseError, BadZipFile, zlib.error, EOFError)
# What openpyxl raises on parts that are no workbook's.
NO_WORKBOOK = (*BROKEN, ValueError, TypeError, LookupError, AttributeError, OSError, RuntimeError)

# The number of the row, its cells up to the last that is not empty, and what is wrong with it.
Record = tuple[int, list[str], str]


@dataclass(frozen=True)
class _Book:
    package: Package
    part: str
    styles: Styles
    texts: list[str]
    notes: tuple[str, ...]


@contextmanager
def open_workbook(path: Path) -> Iterator[tuple[tuple[str, ...], Iterator[Record]]]:
    """Notes for a person, and the rows of the first sheet that is not hidden; formulas give their stored values.

    Invalid when the file is no workbook that can be read. What breaks off later ends the rows with a faulty one.
    """
    with open_package(path) as package:
        try:
            book = _book(package)
        except Invalid:
            raise
        except NO_WORKBOOK:
            raise Invalid("The file cannot be read as an XLSX workbook. Save it again as .xlsx, or as CSV.") from None
        yield book.notes, _records(book)


def _book(package: Package) -> _Book:
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet
    from openpyxl.xml.constants import SHARED_STRINGS

    reader = ExcelReader(BytesIO(EMPTY_ZIP), read_only=True, data_only=True, keep_links=False)
    reader.archive = package  # in place of one that would read without limits
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(package, reader.wb)
    sheets = [(each, rel.target) for each, rel in reader.parser.find_sheets() if "worksheet" in rel.Type]
    if not sheets:
        raise Invalid("The workbook has no sheet with cells.")
    sheet, part = next((each for each in sheets if each[0].state == "visible"), sheets[0])
    package.getinfo(part)
    notes = (f"Only the first sheet, '{sheet.name}', is read.",) if len(sheets) > 1 else ()
    shared = reader.package.find(SHARED_STRINGS)
    texts = list(_texts(package, shared.PartName.lstrip("/"))) if shared else []
    styles = Styles(reader.wb.epoch, frozenset(reader.wb._date_formats), frozenset(reader.wb._timedelta_formats))
    return _Book(package, part, styles, texts, notes)


def _texts(package: Package, part: str) -> Iterator[str]:
    left = MOST_TEXTS
    for element in _elements(package, part, "si"):
        text = rich_text(element)
        left -= sys.getsizeof(text) + 8
        if left < 0:
            raise Invalid("The workbook holds too many different texts. Split it, or save the table as CSV.")
        yield text


def _elements(package: Package, part: str, record: str) -> Iterator[Any]:
    """Each element called `record`, dropped when the next is asked for, to the end of what holds them.

    ElementTree may read it: a part refuses DTDs, and with them every entity.
    """
    with package.stream(part, record) as source:
        path: list[Any] = []
        for event, element in ElementTree.iterparse(source, ("start", "end")):  # noqa: S314 # nosec B314
            if event == "start":
                path.append(element)
                continue
            path.pop()
            name = local_name(element.tag)
            if name == record:
                if element.tag != SPACE + record:
                    raise Invalid("The workbook is of a foreign kind, such as Strict Open XML. Save it as plain .xlsx.")
                yield element
                path[-1].clear()
            elif name == "sheetData":
                break
        source.check()


def _rows(book: _Book) -> Iterator[Any]:
    for count, element in enumerate(_elements(book.package, book.part, "row")):
        if count == MOST_ROWS:
            raise Invalid(f"The sheet has more than {MOST_ROWS:,} rows, which no spreadsheet program can show.")
        yield element


def _records(book: _Book) -> Iterator[Record]:
    line = 0
    try:
        for element in _rows(book):
            line = int(element.get("r") or line + 1)
            yield line, *_cells(book, element)
    except Invalid as error:
        yield line + 1, [], f"{error.message} The rows from here on were not read."
    except (*BROKEN, ValueError, LookupError):
        yield line + 1, [], "The workbook is damaged here: this row and those after it were not read."


def _cells(book: _Book, row: Any) -> tuple[list[str], str]:
    cells: list[str] = []
    fault, column = "", 0
    for each in row:
        name = each.get("r") or ""
        try:
            column = column_of(name) if name else column + 1
            text = value_of(each, book.texts, book.styles)
        except Unreadable as error:
            fault = fault or f"Cell {name[:12]} {error}"
            continue
        except (ValueError, IndexError, OverflowError):
            fault = fault or f"Cell {name[:12]} cannot be read."
            continue
        if text.strip():
            cells.extend([""] * (column - len(cells)))
            cells[column - 1] = text
    return cells, fault


class Copied:
    """Where csv.writer writes the rows of a sheet, in UTF-8: Invalid beyond `most` bytes.

    Cells that a row leaves out are commas here, and a text that many cells share is in each of them: the bytes of a
    workbook say little about those of its table.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._left, self._most = file, most, most

    def write(self, text: str) -> int:
        raw = text.encode()
        self._left -= len(raw)
        if self._left < 0:
            raise Invalid(f"As a table the sheet is larger than {self._most / 1e6:,.0f} MB. Split it.")
        return self._file.write(raw)
