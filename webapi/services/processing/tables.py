"""Where the rows come from: a file handed in, a dataset, or values; and the questions that are put to them."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from webapi.errors import Invalid, Permanent
from webapi.extensions import db
from webapi.models import Dataset
from webapi.queue import current, progress
from webapi.queue.files import store
from webapi.services import datasets, storage
from webapi.services.processing.columns import Column, Wanted
from webapi.services.queries.calls import identifier
from webapi.services.queries.nearby import query_nearby
from webapi.services.queries.run import Result, query
from webapi.services.queries.sources import FORMATS, Limits, Options, Source
from webapi.services.tables.workbooks import Copied, open_workbook

LIMITS = Limits(memory_bytes=384 << 20, seconds=900.0, rows=2**40, temp_bytes=8 << 30)
EVERY = 5_000  # rows of a workbook between two reports


@dataclass
class Table:
    """Rows that can be asked about. `name` is what sentences call them, `percent` and `note` how far the job is."""

    name: str
    source: Source
    folder: Path
    percent: float = 2.0
    note: str = "reading"
    nearby: bool = False  # whether nothing but our own statements are run over values of the payload

    def describe(self, types: Mapping[str, str] | None = None) -> list[Column]:
        """Its columns, told from the whole file, which from then on is read the same way.

        Those that are to have another one of `types` are read as the text that stands in the file, where it does:
        7 is no longer 007, and a guess may have taken the month for the day.
        """
        with self._query(f"DESCRIBE FROM {identifier(self.name)}") as result:
            found = [Column(str(name), str(real)) for name, real, *_ in result.rows]
        options = result.options[self.name]
        wanted = {name.casefold(): Wanted.parse(text) for name, text in (types or {}).items()}
        found = [self._as_it_stands(column, wanted.get(column.name.casefold())) for column in found]
        known = options.columns and tuple((column.name, column.real) for column in found)
        self.source = replace(self.source, options=replace(options, columns=known))
        return found

    def _as_it_stands(self, column: Column, wanted: Wanted | None) -> Column:
        text = self.source.format in {"csv", "tsv"} or column.kind in {"date", "datetime"}
        if wanted is None or not text or self.source.format == "parquet":
            return column
        return Column(column.name, "VARCHAR") if wanted.pattern or wanted.kind != column.kind else column

    def ask(self, sql: str) -> tuple[Any, ...]:
        """The one row that a statement gives."""
        with self._query(sql) as result:
            return next(result.rows)

    @contextmanager
    def rows(self, sql: str) -> Iterator[Result]:
        with self._query(sql) as result:
            yield result

    def _query(self, sql: str) -> Any:
        if self.nearby:
            self.tick()
            return query_nearby(sql, self.name, self.source)
        return query(sql, {self.name: self.source}, {}, limits=LIMITS, folder=self.folder, tick=self.tick)

    def tick(self) -> None:
        """Say how far the job is. Raises Cancelled when it is to stop."""
        progress(self.percent, self.note)

    def step(self, percent: float, note: str) -> None:
        self.percent, self.note = percent, note
        self.tick()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards; with a job, in the place that is cleared when its attempt is lost."""
    attempt = current()
    root = store().staging(attempt.job_id, attempt.number) if attempt else None
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


def of_upload(upload_id: UUID, folder: Path) -> Table:
    """A file handed in by the job's owner. Permanent when it is of no format that can be read."""
    row = storage.upload(_owner(), upload_id)
    suffix = Path(row.name).suffix.lower().removeprefix(".")
    if suffix not in {*FORMATS, "xlsx"}:
        raise Permanent(f"{row.name}: this is none of {', '.join(FORMATS)}, xlsx.")
    path = store().local(row.sha256, folder)
    if suffix != "xlsx":
        return Table(row.name, Source(path, suffix), folder)
    try:
        return Table(row.name, _of_workbook(path, row.name, folder), folder)
    except Invalid as error:
        raise Permanent(f"{row.name}: {error.message}") from None


def of_dataset(name: str, folder: Path) -> Table:
    """A dataset of the job's owner, as the file that statements read. Snooze while it is being inspected."""
    found = db.session.scalar(select(Dataset.id).where(Dataset.owner_id == _owner(), Dataset.name == name))
    if found is None:
        raise Permanent(f"There is no dataset {name!r}.")
    return Table(name, datasets.sources(_owner(), [(name, found)], folder)[name], folder)


def of_values(data: Any, folder: Path, *, nearby: bool = True) -> Table | None:
    """A list of objects, a list of values, one object, or one value; None when there is no object and no value.

    Statements that hold something of a person's, such as a filter, must not run `nearby`.
    """
    items = data if isinstance(data, list) else [data]
    path = folder / "data.ndjson"
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item if isinstance(item, dict) else {"value": item}) + "\n")
    return Table("data", Source(path, "ndjson"), folder, nearby=nearby) if items else None


def _owner() -> UUID:
    attempt = current()
    assert attempt is not None, "an upload and a dataset belong to the owner of a job"
    return attempt.owner_id


def _of_workbook(path: Path, name: str, folder: Path) -> Source:
    """The first sheet as CSV. Permanent at the first row that cannot be read: figures without it would be wrong."""
    table, most = folder / "sheet.csv", 2 * int(current_app.config["DATASET_BYTES"])
    with open_workbook(path) as (_, records), table.open("wb") as file:
        writer, width = csv.writer(Copied(file, most)), 0
        for count, (line, cells, fault) in enumerate(records):
            if fault:
                raise Permanent(f"{name}, row {line:,}: {fault}")
            if not cells:
                continue
            header = not width
            width = width or len(cells)
            if len(cells) > width:
                raise Permanent(f"{name}, row {line:,}: there are {len(cells):,} cells and {width:,} columns.")
            row = _header(cells) if header else [*cells, *[""] * (width - len(cells))]
            writer.writerow(row)
            if count % EVERY == 0:
                progress(2, f"{count:,} rows read")
        if not width:
            raise Permanent(f"{name}: the sheet is empty.")
    return Source(table, "csv", Options(delimiter=",", quote='"', encoding="utf-8", header=True, skip=0))


def _header(cells: Sequence[str]) -> list[str]:
    return [cell.strip() or f"column{number}" for number, cell in enumerate(cells, 1)]
