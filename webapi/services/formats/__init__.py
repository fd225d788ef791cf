"""Rows streamed into a file in flat memory: CSV, JSON, HTML, XLSX, Parquet and PDF.

No database and no web here. The libraries are imported where they are used, because the web process writes no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from webapi.services.formats.batches import Batches
from webapi.services.formats.columnar import write_parquet
from webapi.services.formats.delimited import write_csv
from webapi.services.formats.documents import MOST_ROWS, write_pdf
from webapi.services.formats.objects import write_json
from webapi.services.formats.pages import write_html
from webapi.services.formats.table import Chart, Column, Heading, Row, Type, check, encoded
from webapi.services.formats.workbooks import write_xlsx

__all__ = ["MEDIA_TYPES", "SUFFIXES", "Chart", "Column", "Format", "Heading", "Row", "Type", "Written", "write"]

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
WRITERS: dict[Format, Callable[[Path, Heading, Batches], str | None]] = {
    "csv": write_csv,
    "json": write_json,
    "html": write_html,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
    "pdf": write_pdf,
}


@dataclass(frozen=True)
class Written:
    """What the file holds.

    `totals` are the exact sums of the numeric columns over the rows that are in the file; NaN and the infinities
    have no sum, and `not_finite` counts them by column. `truncated` says in a sentence what is not in the file.
    """

    rows: int
    totals: dict[str, Decimal]
    truncated: str | None
    not_finite: dict[str, int] = field(default_factory=dict)


def write(path: Path, file_format: Format, heading: Heading, columns: Sequence[Column], rows: Iterable[Row]) -> Written:
    """Write the rows to `path`, a thousand at a time; a PDF takes the first 10,000.

    Text is kept as it is, with these exceptions. A lone surrogate becomes U+FFFD everywhere. HTML, XLSX and PDF
    also show U+FFFD for a control character, and \\n for every end of a line. A text that begins like a formula
    gets an apostrophe in CSV. Raises ValueError for a table that `check` refuses or a value its column cannot hold;
    the file is then not to be used.
    """
    heading, columns = encoded(heading, columns)
    check(heading, columns)
    most = MOST_ROWS if file_format == "pdf" else None
    batches = Batches(columns, rows, heading.chart, most)
    truncated = WRITERS[file_format](path, heading, batches)
    return Written(batches.rows, batches.totals, truncated, batches.not_finite)
