"""Rows streamed into a file in flat memory: CSV, JSON, HTML, XLSX, Parquet and PDF.

No database and no web here. The libraries are imported where they are used, because the web process writes no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from webapi.services.formats.batches import Batches
from webapi.services.formats.charts import png
from webapi.services.formats.columnar import write_parquet
from webapi.services.formats.delimited import write_csv
from webapi.services.formats.documents import Room, write_pdf
from webapi.services.formats.lines import write_csv_of_texts
from webapi.services.formats.locales import Language
from webapi.services.formats.objects import write_json
from webapi.services.formats.pages import write_html
from webapi.services.formats.table import Chart, Column, Heading, Row, Type, Written, check, encoded
from webapi.services.formats.texts import Block, Blocks
from webapi.services.formats.workbooks import write_xlsx

__all__ = [
    "MEDIA_TYPES", "SUFFIXES", "Block", "Chart", "Column", "Format", "Heading", "Row", "Type", "Written",
    "takes_blocks", "write",
]  # fmt: skip

Format = Literal["csv", "json", "html", "xlsx", "parquet", "pdf"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
}
SUFFIXES: dict[Format, str] = {each: f".{each}" for each in MEDIA_TYPES}
WRITERS: dict[Format, Callable[[Path, Heading, Batches], Written]] = {
    "csv": write_csv,
    "json": write_json,
    "html": write_html,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
    "pdf": write_pdf,
}
OF_TEXTS: dict[Format, Callable[[Path, Heading, Blocks], Written]] = {
    "csv": write_csv_of_texts,
    "parquet": write_parquet,
}


def takes_blocks(file_format: Format, heading: Heading) -> bool:
    """Whether a file is made of blocks of texts as well: many times as fast, and the same."""
    return file_format in OF_TEXTS and heading.chart is None


def write(
    path: Path,
    file_format: Format,
    heading: Heading,
    columns: Sequence[Column],
    rows: Iterable[Row],
    *,
    incomplete: Callable[[], str | None] = lambda: None,
    tick: Callable[[int], None] = lambda _: None,
    picture: Path | None = None,
    blocks: Iterable[Block] | None = None,
) -> Written:
    """Write the rows to `path`, a thousand at a time; a PDF takes the first 10,000.

    `incomplete` is asked once, when no more rows are taken: why the source gave no more, in words that go on after
    "complete, or", such as "truncated at 1,000 rows because …", or None. `tick` hears how many rows went by after
    each thousand, and twice a second while the file is put together; it may raise. Whatever is raised, nothing is
    left behind: no child, no scratch (which is made beside `path`), and no file. `picture` is where the chart goes
    as a PNG too, if there is one. `blocks` are taken instead of `rows` where there are any and `takes_blocks` says so.

    Text is kept as it is, with these exceptions. A lone surrogate becomes U+FFFD everywhere. HTML, XLSX and PDF
    also show U+FFFD for a control character, and \\n for every end of a line. A text that begins like a formula
    gets an apostrophe in CSV. Raises ValueError for a table that `check` refuses or a value its column cannot hold.
    """
    heading, columns = encoded(heading, columns)
    check(heading, columns)
    try:
        if blocks is not None and takes_blocks(file_format, heading):
            return OF_TEXTS[file_format](path, heading, Blocks(columns, blocks, incomplete=incomplete, tick=tick))
        room = Room() if file_format == "pdf" else None
        batches = Batches(columns, rows, heading.chart, room, incomplete=incomplete, tick=tick)
        written = WRITERS[file_format](path, heading, batches)
        if picture and heading.chart and batches.points and not (points := batches.points.points()).empty:
            picture.write_bytes(png(heading.chart, points, Language(heading.locale)))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return written
