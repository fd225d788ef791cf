"""Building a report: its rows into a file, and the manifest that proves what is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from webapi.errors import Permanent
from webapi.models import ReportVersion
from webapi.queue import current, new_file, progress
from webapi.queue.attempt import Attempt
from webapi.queue.files import store
from webapi.services import formats
from webapi.services.formats import MEDIA_TYPES, SUFFIXES, Format, Heading, Written
from webapi.services.formats.proof import facts
from webapi.services.reports import library, sharing, sources
from webapi.services.reports.definition import Definition
from webapi.services.reports.sources import Asked

MANIFEST, CHART = "manifest.json", "chart.png"


@dataclass(frozen=True)
class Order:
    """What to build. `report` is `name@version`, and `parameters` are pinned: both mean the same at any time."""

    report: str
    parameters: Mapping[str, str]
    format: Format
    timezone: str
    title: str | None = None
    max_age: int | None = None


@dataclass(frozen=True)
class _Task:
    attempt: Attempt
    order: Order
    version: ReportVersion
    definition: Definition
    as_of: datetime

    @property
    def title(self) -> str:
        return self.order.title or self.definition.title

    @property
    def name(self) -> str:
        return self.order.report.partition("@")[0]

    @property
    def file(self) -> str:
        return self.name + SUFFIXES[self.order.format]


def build(order: Order) -> dict[str, Any]:
    """Write the file and its manifest as artifacts of the job, or take those of the same report; returns the manifest.

    Rows are read and written in batches, so that memory does not grow with the report. Raises Permanent for what
    cannot be built, Transient when a database is away, and Snooze while another job builds the same.
    """
    attempt = current()
    assert attempt is not None, "a report is its owner's, and belongs to a job"
    version = library.referred(attempt.owner_id, order.report, accepted=True)
    task = _Task(attempt, order, version, library.definition_of(version), datetime.now(UTC))
    other = sharing.earlier(attempt, _fingerprint(task), order.max_age)
    return sharing.copied(other) if other else _built(task)


def _fingerprint(task: _Task) -> str:
    """What two builds have in common that give the same file, but for the moment."""
    order = task.order
    facts: list[Any] = [str(task.attempt.owner_id), str(task.version.report_id), task.name, task.version.version]
    facts += [sorted(order.parameters.items()), order.format, order.timezone, task.title]
    facts += [library.contents(task.version)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _built(task: _Task) -> dict[str, Any]:
    attempt, order, definition = task.attempt, task.order, task.definition
    path = new_file(task.file, MEDIA_TYPES[order.format])
    values = definition.bound(order.parameters, order.timezone, task.as_of)
    asked = Asked(attempt.owner_id, task.version, values, order.timezone)
    folder = store().staging(attempt.job_id, attempt.number) / "scratch"
    folder.mkdir(exist_ok=True)
    heading = _heading(task)
    progress(1, "waiting for rows")
    in_blocks = formats.takes_blocks(order.format, heading)
    with sources.opened(asked, folder, lambda: progress(1, "waiting for rows"), in_blocks=in_blocks) as found:
        try:
            written = formats.write(
                path, order.format, heading, found.columns, found.rows,
                incomplete=found.incomplete, tick=_tell, picture=folder / CHART, blocks=found.blocks,
            )  # fmt: skip
        except ValueError as error:
            raise Permanent(str(error)) from None
    if (folder / CHART).exists():
        (folder / CHART).replace(new_file(CHART, "image/png"))
    progress(95, f"{written.rows:,} rows")
    manifest = _manifest(task, heading, written, path)
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    new_file(MANIFEST, "application/json").write_text(text + "\n", "utf-8")
    return manifest


def _tell(rows: int) -> None:
    progress(2, f"{rows:,} rows")


def _heading(task: _Task) -> Heading:
    definition, version = task.definition, task.version
    about = {"Report": task.name, "Version": str(version.version), "Source": version.source}
    about["Time zone"] = task.order.timezone
    chart = definition.chart.chart() if definition.chart else None
    labelled = definition.labelled(task.order.parameters)
    return Heading(task.title, labelled, task.as_of, definition.locale, chart, about)


def _manifest(task: _Task, heading: Heading, written: Written, path: Path) -> dict[str, Any]:
    """What stands in the file, what machines know it by, and its hash: enough to check it without trusting us."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    known = {"report": task.name, "version": task.version.version, "source": task.version.source}
    asked = {"values": dict(task.order.parameters), "timezone": task.order.timezone}
    return {**facts(heading, written), **known, **asked, "file": task.file, "sha256": sha256}
