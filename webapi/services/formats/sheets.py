"""Sheets of rows as XML, straight into the package: XlsxWriter's own way takes several times as long."""

from __future__ import annotations

from types import TracebackType
from typing import IO, Any, Self
from zipfile import ZipFile

from webapi.services.formats.batches import Batch
from webapi.services.formats.cellxml import Cells
from webapi.services.formats.table import NUMERIC, Column

SHEET_ROWS = 1_048_576  # https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
SHEET_BYTES = 2_000_000_000  # more would need ZIP64, which not every reader of a package knows
HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>'
    '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>%s</cols><sheetData>'
)
TAIL = (
    '</sheetData><autoFilter ref="A1:%s%d"/>'
    '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
    '<pageSetup orientation="landscape" fitToHeight="0"/></worksheet>'
)


class Sheets:
    """Write batches, and end; then `ends` has the last row of each sheet.

    `first` is the number of the first sheet in the package; `styles` are those of Cells.
    """

    def __init__(self, package: ZipFile, first: int, columns: list[Column], styles: dict[str, int]) -> None:
        self.ends: list[int] = []
        self._package, self._first, self._columns, self._cells = package, first, columns, Cells(styles)
        self._letters = [letters(number) for number in range(len(columns))]
        self._widths: list[float] = []
        self._row, self._bytes = 0, 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def write(self, batch: Batch) -> None:
        self._widths = self._widths or list(map(width, self._columns, batch))
        begin, count = 0, len(batch[0])
        while begin < count:
            if self._file is None or self._row == SHEET_ROWS or self._bytes > SHEET_BYTES:
                self._end()
                self._begin()
            end = min(count, begin + SHEET_ROWS - self._row)
            self._rows([values[begin:end] for values in batch])
            begin = end

    def end(self) -> None:
        """End the last sheet. Where there were no rows, it has a header all the same."""
        if not self._file:
            self._begin()
        self._end()

    @property
    def cut(self) -> int:
        """How many texts were too long for a cell."""
        return self._cells.cut

    def _end(self) -> None:
        if self._file:
            self._file.write((TAIL % (self._letters[-1], self._row)).encode())
            self._file.close()
            self._file = None
            self.ends.append(self._row)

    def _begin(self) -> None:
        self._file = self._package.open(f"xl/worksheets/sheet{self._first + len(self.ends)}.xml", "w")
        widths = self._widths or [width(column, []) for column in self._columns]
        cols = [f'<col min="{n}" max="{n}" width="{each}" customWidth="1"/>' for n, each in enumerate(widths, 1)]
        names = [column.name for column in self._columns]
        head = [self._cells.head(*pair) for pair in zip(self._letters, names, strict=True)]
        self._file.write(f'{HEAD % "".join(cols)}<row r="1">{"".join(head)}</row>'.encode())
        self._row, self._bytes = 1, 0

    def _rows(self, batch: Batch) -> None:
        assert self._file is not None
        first = self._row + 1
        columns = [
            self._cells.column(column.type, letter, first, values)
            for letter, column, values in zip(self._letters, self._columns, batch, strict=True)
        ]
        # Some readers take a row to end with its last cell.
        columns[-1] = [cell or f'<c r="{self._letters[-1]}{row}"/>' for row, cell in enumerate(columns[-1], first)]
        lines = [
            f'<row r="{row}">{"".join(cells)}</row>' for row, cells in enumerate(zip(*columns, strict=True), first)
        ]
        self._row += len(lines)
        self._bytes += self._file.write("".join(lines).encode())


def letters(number: int) -> str:
    """The name of a column: A is number 0, AA is number 26."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(65 + letter) + name
    return name


def width(column: Column, values: list[Any]) -> float:
    """In characters: that of the longest of the first rows, within bounds."""
    fixed = {"boolean": 8, "date": 12, "datetime": 20}.get(column.type, 0)
    sample = [str(value)[:60] for value in values[:200] if value is not None] if not fixed else []
    longest = max((len(line) for text in sample for line in text.splitlines()), default=0)
    name = len(column.name) + 4  # room for the button of the filter
    return float(min(60, max(8, fixed, longest + (3 if column.type in NUMERIC else 1), name)))
