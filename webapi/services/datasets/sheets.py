"""The first sheet of a workbook as a text table, which is then read like any other."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from webapi.errors import Invalid
from webapi.services.datasets.ways import Ways
from webapi.services.queries.sources import Options, Source
from webapi.services.tables.workbooks import Copied, Record, open_workbook

EVERY = 1_000  # rows between two notes
TITLES = 20  # rows at the top that may be titles


def as_text(path: Path, ways: Ways, copy: Path, most: int, tell: Callable[[str], None]) -> tuple[Source, list[str]]:
    """Write the cells into `copy`, and give back how to read it, with notes for a person.

    Rows that are wholly empty are left out. Rows at the top with one cell are titles, unless `skip` says how many
    rows of the sheet, empty ones too, come before the table. `tell` hears how far it is, and may raise. Invalid where
    a row cannot be read, and when the table is larger than `most` bytes.
    """
    with open_workbook(path) as (notes, records):
        rows = _rows(records, tell, ways.skip or 0)
        head = list(islice(rows, TITLES))
        titles = _titles(head) if ways.skip is None else 0
        width = _write(chain(head[titles:], rows), copy, most)
    said = [*notes, *([_left_out(titles)] if titles and ways.skip is None else [])]
    if not width:
        raise Invalid("The sheet is empty.")
    read = Options(delimiter=",", quote='"', encoding="utf-8", decimal=".", skip=0)
    chosen = replace(read, header=ways.header, date_format=ways.date_format, timestamp_format=ways.timestamp_format)
    return Source(copy, "csv", chosen), said


def _rows(records: Iterable[Record], tell: Callable[[str], None], skip: int) -> Iterator[list[str]]:
    for count, (line, cells, fault) in enumerate(records):
        if count % EVERY == 0:
            tell(f"{count:,} rows of the sheet read")
        if line <= skip:
            continue
        if fault:
            raise Invalid(f"Row {line:,}: {fault}")
        if any(map(str.strip, cells)):
            yield cells


def _left_out(titles: int) -> str:
    return "1 row above the table is left out." if titles == 1 else f"{titles} rows above the table are left out."


def _titles(head: list[list[str]]) -> int:
    """How many rows at the top have one cell, above a table that is wider."""
    filled = [sum(bool(cell.strip()) for cell in cells) for cells in head]
    first = next((at for at, count in enumerate(filled) if count > 1), 0)
    return first if max(filled, default=0) > 1 else 0


def _write(rows: Iterable[list[str]], copy: Path, most: int) -> int:
    """The number of columns. Rows end at their last cell, so that all are made as wide as the widest at the end."""
    ragged = copy.with_suffix(".ragged")
    widths = set()
    with ragged.open("wb") as file:
        writer = csv.writer(Copied(file, most), quoting=csv.QUOTE_MINIMAL)
        for cells in rows:
            widths.add(len(cells))
            writer.writerow([cell.replace("\0", "") for cell in cells])
    width = max(widths, default=0)
    if len(widths) < 2:
        ragged.replace(copy)
        return width
    csv.field_size_limit(1 << 24)
    with ragged.open(encoding="utf-8", newline="") as text, copy.open("wb") as out:
        padded = csv.writer(Copied(out, most))
        padded.writerows(cells + [""] * (width - len(cells)) for cells in csv.reader(text))
    ragged.unlink()
    return width
