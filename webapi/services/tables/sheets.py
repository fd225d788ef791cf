"""A table that a person uploaded, row by row, in flat memory: CSV in the dialects there are, and XLSX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from webapi.errors import Invalid
from webapi.services.tables.delimited import open_text
from webapi.services.tables.workbooks import open_workbook

MOST_COLUMNS = 200  # nobody fills in a message from more
MOST_CELL = 32_767  # characters; what a cell of Excel holds
USUAL = {".csv": ",", ".txt": ",", ".tsv": "\t"}
OTHERS = {
    ".xls": "an old workbook",
    ".xlsm": "a workbook with macros",
    ".xlsb": "a binary workbook",
    ".ods": "an OpenDocument sheet",
    ".numbers": "a Numbers sheet",
}

Record = tuple[int, list[str], str]


@dataclass(frozen=True)
class Row:
    """A row by its columns, stripped; every column is there. A faulty row holds what could be read."""

    line: int  # of the file, where the row begins, counted from 1; of a workbook the number of the row
    values: dict[str, str]
    fault: str = ""  # a sentence


@dataclass(frozen=True)
class Sheet:
    """The columns of the header, sentences that a person should know, and the rows, which can be read once.

    Rows that are wholly empty are left out but counted in the line numbers.
    """

    columns: tuple[str, ...]
    notes: tuple[str, ...]
    rows: Iterator[Row]


def open_sheet(path: Path, name: str) -> AbstractContextManager[Sheet]:
    """The table in a file that was uploaded as `name`: .csv, .tsv, .txt or .xlsx.

    Invalid, with a sentence that says what to do, when it holds no table with a header and a row. What is wrong
    further down is a faulty row; where a file breaks off, the last row says so.
    """
    suffix = Path(name).suffix.lower()
    if suffix != ".xlsx" and suffix not in USUAL:
        kind = f"{OTHERS[suffix]} ({suffix})" if suffix in OTHERS else f"called {suffix or 'without an ending'}"
        raise Invalid(f"The file is {kind}. Save the table as CSV UTF-8 (.csv) or as an Excel workbook (.xlsx).")
    return _sheet(path, suffix)


@contextmanager
def _sheet(path: Path, suffix: str) -> Iterator[Sheet]:
    if not path.stat().st_size:
        raise Invalid("The file is empty. Upload a table with a header and at least one row.")
    padded = suffix == ".xlsx"
    with open_workbook(path) if padded else open_text(path, usual=USUAL[suffix]) as (notes, records):
        filled = (each for each in records if each[2] or any(map(str.strip, each[1])))
        columns = _columns(next(filled, None))
        rows = _rows(filled, columns, padded=padded)
        first = next(rows, None)
        if first is None:
            raise Invalid(
                "The table has only one row. The first row names the columns, each further one is a recipient."
            )
        yield Sheet(columns, notes, chain([first], rows))


def _columns(header: Record | None) -> tuple[str, ...]:
    """The names in the header. Invalid when one is missing, repeated or unreadable, or when there are too many."""
    if header is None:
        raise Invalid("The file is empty. Upload a table with a header and at least one row.")
    line, cells, fault = header
    names = tuple(each.strip() for each in cells)
    if fault or any("\0" in each or len(each) > MOST_CELL for each in names):
        raise Invalid(f"The header in line {line:,} cannot be read. {fault}".rstrip())
    if len(names) > MOST_COLUMNS:
        raise Invalid(f"The table has {len(names):,} columns. Keep at most {MOST_COLUMNS}.")
    if "" in names:
        raise Invalid(f"Column {names.index('') + 1} has no name in the header. Name it, or delete the column.")
    twice = next((each for each, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise Invalid(
            f"The header names the column '{twice[:100]}' more than once. Give each column a name of its own."
        )
    return names


def _rows(records: Iterable[Record], columns: tuple[str, ...], *, padded: bool) -> Iterator[Row]:
    """The rows by their columns. `padded`: cells that are missing at the end are empty ones."""
    for line, cells, unread in records:
        fault = unread or _fault(cells, len(columns), padded=padded)
        texts = [each.replace("\0", "").strip()[:MOST_CELL] for each in cells[: len(columns)]]
        texts.extend([""] * (len(columns) - len(texts)))
        yield Row(line, dict(zip(columns, texts, strict=True)), fault)


def _fault(cells: list[str], width: int, *, padded: bool) -> str:
    if len(cells) > width or (len(cells) < width and not padded):
        return f"The row has {len(cells):,} cells, the header has {width:,}."
    if any("\0" in each for each in cells):
        return "The row holds a NUL character."
    if any(len(each) > MOST_CELL for each in cells):
        return f"A cell is longer than {MOST_CELL:,} characters."
    return ""
