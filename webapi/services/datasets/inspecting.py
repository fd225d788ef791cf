"""The inspection of a dataset: its whole file is read and kept as Parquet, or a sentence says why not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select, update

from webapi.errors import Invalid, Permanent
from webapi.extensions import db
from webapi.models import Dataset, Job, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import progress
from webapi.queue.attempt import Attempt, Replaced
from webapi.queue.files import store
from webapi.services.datasets import sheets
from webapi.services.datasets.ways import Ways, found
from webapi.services.queries import tables
from webapi.services.queries.sources import Limits, Source
from webapi.services.queries.tables import Table

MEMORY = 512 << 20  # bytes
SECONDS = 1500.0
MOST_SHOWN = 100_000  # characters of all rows of a preview


def inspect(attempt: Attempt, dataset_id: UUID) -> dict[str, Any]:
    """Do it for the job of this attempt, unless a newer job has the dataset by now, or nobody has."""
    row = db.session.get(Dataset, dataset_id, populate_existing=True)
    if row is None or row.job_id != attempt.job_id:
        return {"dataset": str(dataset_id), "outcome": "overtaken"}
    given, file, told = dict(row.options.get("given", {})), row.sha256, row.format
    files = store()
    with tempfile.TemporaryDirectory(dir=files.staging(attempt.job_id, attempt.number)) as folder:
        path = files.local(file, Path(folder))
        try:
            table, notes = _read(path, told, Ways(**given), Path(folder))
        except (Invalid, Permanent) as error:
            values: dict[str, Any] = {"state": "faulty", "problem": error.message[:500], "options": {"given": given}}
        else:
            attempt.still_mine()
            values = _facts(table, told, given, notes) | {"table_sha256": files.keep(table.path).sha256}
    outcome = values["state"] if _write(attempt, dataset_id, values) else "overtaken"
    return {"dataset": str(dataset_id), "outcome": outcome, "rows": values.get("rows")}


def _read(path: Path, told: str, ways: Ways, folder: Path) -> tuple[Table, list[str]]:
    """Raises Permanent or Invalid with a sentence."""
    source, notes = Source(path, told, ways.options()), list[str]()
    room = 2 * int(current_app.config["DATASET_BYTES"])
    if told == "xlsx":
        source, notes = sheets.as_text(path, ways, folder / "sheet.csv", room, lambda note: progress(0, note))
    limits = Limits(memory_bytes=MEMORY, seconds=SECONDS, temp_bytes=room)

    def tell(percent: float) -> None:
        progress(0.95 * percent, "reading the file")

    return tables.store(source, ways.types, limits=limits, folder=folder, tell=tell), notes


def _facts(table: Table, told: str, given: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    options = {"given": given, "found": found(table.options, told), "notes": notes, "first": _shown(table.first)}
    columns = [list(column) for column in table.columns]
    return {"state": "ready", "columns": columns, "rows": table.rows, "options": options}


def _shown(rows: list[list[Any]]) -> list[list[Any]]:
    """As many of the first rows as are worth keeping beside the dataset."""
    left, shown = MOST_SHOWN, []
    for row in rows:
        left -= sum(len(str(cell)) for cell in row)
        if left < 0:
            break
        shown.append(row)
    return shown


def _write(attempt: Attempt, dataset_id: UUID, values: dict[str, Any]) -> bool:
    """Whether it was still this job's to say. Raises Replaced when another attempt owns the job by now."""
    with writing() as session:
        mine = select(Job.id).where(*attempt.fence, Job.state == State.RUNNING)
        if session.execute(mine.with_for_update()).first() is None:
            raise Replaced
        awaited = (Dataset.id == dataset_id, Dataset.job_id == attempt.job_id, Dataset.state == "inspecting")
        written = session.execute(
            update(Dataset)
            .where(*awaited)
            .values(values | {"changed_at": now()})
            .execution_options(synchronize_session=False)
        )
        return bool(written.rowcount)  # type: ignore[attr-defined]
