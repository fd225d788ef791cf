"""Reports: rows streamed into a file, and a manifest that proves what is in it."""

from __future__ import annotations

import csv
import hashlib
import html
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO
from uuid import UUID

from sqlalchemy import select

from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import after
from webapi.queue import new_file, progress
from webapi.services.formats.cells import inert

Format = Literal["csv", "json", "html"]
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv", "json": "application/json", "html": "text/html"}
COLUMNS = ("id", "kind", "state", "attempts", "created_at", "finished_at", "seconds")
CHUNK = 1000  # rows in memory at a time


@dataclass(frozen=True)
class Manifest:
    """What a report's file holds: enough to check it without trusting us."""

    title: str
    parameters: dict[str, Any]
    data_as_of: str
    file: str
    rows: int
    totals: dict[str, float]
    sha256: str
    completeness: str = "complete"


def build(title: str, owner_id: UUID, days: int, kind: str | None, file_format: Format) -> dict[str, Any]:
    """Write the owner's jobs of the last `days` days as a file, with its manifest beside it.

    Rows are read and written in chunks, so that memory does not grow with the report.
    """
    as_of = datetime.now(UTC)
    name = f"report.{file_format}"
    path = new_file(name, MEDIA_TYPES[file_format])
    totals = {"attempts": 0.0, "seconds": 0.0}
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = WRITERS[file_format](file, title, _counted(_rows(owner_id, days, kind), totals))
    manifest = Manifest(
        title=title,
        parameters={"days": days, "kind": kind},
        data_as_of=as_of.isoformat(timespec="seconds"),
        file=name,
        rows=rows,
        totals={key: round(value, 3) for key, value in totals.items()},
        sha256=_sha256(path),
    )
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
    new_file("manifest.json", "application/json").write_text(text + "\n", "utf-8")
    return asdict(manifest)


def _rows(owner_id: UUID, days: int, kind: str | None) -> Iterator[dict[str, Any]]:
    query = (
        select(Job.id, Job.kind, Job.state, Job.attempt, Job.created_at, Job.finished_at)
        .where(Job.owner_id == owner_id, Job.created_at > after(-86400.0 * days))
        .order_by(Job.id)
    )
    if kind:
        query = query.where(Job.kind == kind)
    last: UUID | None = None
    while True:  # by keyset, not by one long cursor: a progress report ends the read transaction
        chunk = db.session.execute((query.where(Job.id > last) if last else query).limit(CHUNK)).all()
        for row in chunk:
            seconds = (row.finished_at - row.created_at).total_seconds() if row.finished_at else None
            yield {
                "id": str(row.id),
                "kind": row.kind,
                "state": row.state,
                "attempts": row.attempt,
                "created_at": row.created_at.isoformat(),
                "finished_at": row.finished_at.isoformat() if row.finished_at else None,
                "seconds": None if seconds is None else round(seconds, 3),
            }
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].id


def _counted(rows: Iterator[dict[str, Any]], totals: dict[str, float]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        for column in totals:
            totals[column] += row[column] or 0
        if number % CHUNK == 0:
            progress(min(95, number // CHUNK), f"{number:,} rows")
        yield row


def _write_csv(file: TextIO, title: str, rows: Iterator[dict[str, Any]]) -> int:
    writer, count = csv.DictWriter(file, COLUMNS), 0
    writer.writeheader()
    for row in rows:
        count += 1
        writer.writerow({key: inert(value) for key, value in row.items()})
    return count


def _write_json(file: TextIO, title: str, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    file.write('{"title": ' + json.dumps(title) + ', "rows": [')
    for count, row in enumerate(rows, 1):
        file.write((",\n" if count > 1 else "\n") + json.dumps(row))
    file.write("\n]}\n")
    return count


def _write_html(file: TextIO, title: str, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    heading = html.escape(title)
    file.write(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{heading}</title><h1>{heading}</h1><table>'
    )
    file.write("<tr>" + "".join(f"<th>{column}</th>" for column in COLUMNS) + "</tr>\n")
    for row in rows:
        count += 1
        cells = "".join(f"<td>{html.escape('' if value is None else str(value))}</td>" for value in row.values())
        file.write(f"<tr>{cells}</tr>\n")
    file.write("</table></html>\n")
    return count


WRITERS = {"csv": _write_csv, "json": _write_json, "html": _write_html}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
