"""Datasets as their owners see them, and as their statements read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import defer

from webapi.errors import NotFound, Permanent, Transient
from webapi.extensions import db
from webapi.models import FINAL, Dataset, Job, Report, ReportVersion
from webapi.queue import Snooze, current
from webapi.queue.files import store
from webapi.services.queries.sources import Source

MOST = 500  # in a list
LATER = 15.0  # seconds; the inspection of a large file takes some minutes


@dataclass(frozen=True)
class Standing:
    """How far a dataset is: `inspecting` with a percentage and a note, `ready`, or `faulty` with a sentence."""

    state: str
    problem: str | None = None
    percent: int = 0
    note: str | None = None


@dataclass(frozen=True)
class Preview:
    """The first rows, long cells cut short."""

    columns: list[list[str]]
    rows: list[list[Any]]


def find(owner_id: UUID, dataset_id: UUID) -> Dataset:
    """The owner's dataset. Raises NotFound, also for one that is somebody else's."""
    query = select(Dataset).where(Dataset.id == dataset_id, Dataset.owner_id == owner_id)
    row: Dataset | None = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such dataset.")
    return row


def of(owner_id: UUID) -> list[tuple[Dataset, Standing]]:
    """The owner's datasets by name, without their previews."""
    query = _with_jobs().where(Dataset.owner_id == owner_id).order_by(Dataset.name).limit(MOST)
    rows = db.session.execute(query.options(defer(Dataset.options), defer(Dataset.columns)))
    return [(row, _standing(row, job)) for row, job in rows]


def standing(row: Dataset) -> Standing:
    """How far a dataset is by now."""
    return _standing(row, db.session.get(Job, row.job_id, populate_existing=True) if row.job_id else None)


def sources(owner_id: UUID, pairs: Sequence[tuple[str, UUID]], folder: Path) -> dict[str, Source]:
    """What statements read, by the names of their tables. `pairs` are such a name and a dataset's id.

    The files are good as long as `folder` is there, also when a dataset is replaced or deleted meanwhile.
    Raises Permanent, with a sentence, for a dataset that is deleted or faulty. For one that is being inspected, which
    may take longer than all attempts of a job, a job's attempt gets Snooze, and anybody else Transient.
    """
    wanted = [dataset_id for _, dataset_id in pairs]
    query = _with_jobs().where(Dataset.owner_id == owner_id, Dataset.id.in_(wanted))
    rows = {row.id: (row, job) for row, job in db.session.execute(query.execution_options(populate_existing=True))}
    tables = {name: _table(name, *rows.get(dataset_id, (None, None))) for name, dataset_id in pairs}
    return {name: Source(store().local(sha256, folder), "parquet") for name, sha256 in tables.items()}


def preview(row: Dataset) -> Preview:
    """The first rows of a dataset that is ready; none of another."""
    return Preview(row.columns, row.options.get("first", []) if row.state == "ready" else [])


def dependents(row: Dataset) -> list[Report]:
    """The reports of its owner that read it in their newest version, by name."""
    newest = and_(ReportVersion.report_id == Report.id, ReportVersion.version == Report.version)
    query = select(Report, ReportVersion.datasets).join(ReportVersion, newest).order_by(Report.name)
    rows = db.session.execute(query.where(Report.owner_id == row.owner_id, Report.deleted_at.is_(None)))
    return [report for report, pairs in rows if str(row.id) in [dataset_id for _, dataset_id in pairs]]


def _with_jobs() -> Select[Dataset, Job]:
    return select(Dataset, Job).outerjoin(Job, Job.id == Dataset.job_id)


def _standing(row: Dataset, job: Job | None) -> Standing:
    """An inspection that ended without a word, because it was cancelled or crashed, has an end too."""
    if row.state != "inspecting":
        return Standing(row.state, row.problem, 100)
    if job is None or job.state in FINAL:
        return Standing("faulty", (job and job.error_public) or "The inspection was ended before it was over.")
    return Standing("inspecting", None, job.progress, job.progress_note)


def _table(name: str, row: Dataset | None, job: Job | None) -> str:
    """The SHA-256 of what statements read."""
    if row is None:
        raise Permanent(f"The dataset {name!r} is deleted.")
    found = _standing(row, job)
    if found.state == "inspecting":
        sentence = f"The dataset {row.name!r} is still being inspected. Try again when it is ready."
        raise Snooze(LATER, sentence) if current() else Transient(sentence, retry_after=LATER)
    if found.state == "faulty" or row.table_sha256 is None:
        raise Permanent(f"The dataset {row.name!r} cannot be read: {found.problem}")
    return row.table_sha256
