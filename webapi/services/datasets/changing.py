"""What people do to datasets: hand in a file, correct how it is read, replace it, rename, delete."""

from __future__ import annotations

from contextlib import suppress
from typing import IO, Any, Literal
from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Invalid, NotFound, StorageFull
from webapi.extensions import db
from webapi.models import Dataset, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import control, kind_named, room
from webapi.queue.files import store
from webapi.services import jobs, storage
from webapi.services.datasets import finding, formats, naming
from webapi.services.datasets.ways import Ways

KIND = "dataset.inspect"


class DatasetRef(BaseModel):
    """Which dataset a job of ours is about."""

    dataset_id: UUID


def create(owner: User, name: str | None, file_name: str, stream: IO[bytes], ways: Ways | None = None) -> Dataset:
    """Keep a file under a name, or one that reminds of the file's, and have it inspected.

    Raises Invalid for a name, a file and options that cannot be, Conflict for a name that is taken, and StorageFull.
    """
    free(owner.id, name)
    name = name or naming.suggested(file_name, _names(owner.id))
    dataset_id, kept = uuid7(), _keep(owner.id, file_name, stream, ways or Ways())
    try:
        with writing() as session:
            room.charge(session, owner.id, kept["size"])
            _one_more(session, owner.id)
            session.add(Dataset(id=dataset_id, owner_id=owner.id, name=name, **kept))
            session.flush()
            _inspect(session, owner, dataset_id)
    except IntegrityError:
        raise _taken(name) from None
    return finding.find(owner.id, dataset_id)


def free(owner_id: UUID, name: str | None) -> None:
    """Before a gigabyte is sent for nothing. Raises Invalid for what is no name, Conflict for one that is taken.

    Raises StorageFull for an owner who has as many datasets as they may.
    """
    _one_more(db.session(), owner_id)
    if name is not None and naming.check(name) in _names(owner_id):
        raise _taken(name)


def replace(owner: User, dataset_id: UUID, file_name: str, stream: IO[bytes]) -> Dataset:
    """Another file under the same name, read as was said of the old one. Raises NotFound, Invalid and StorageFull."""
    finding.find(owner.id, dataset_id)  # before a gigabyte is sent for nothing
    kept = _keep(owner.id, file_name, stream, Ways())
    with writing():
        row = finding.find(owner.id, dataset_id)  # as it is now: it may have been corrected while the file came
        if kept["format"] == row.format:
            kept["options"] = {"given": row.options.get("given", {})}
        return _changed(owner, dataset_id, kept)


def correct(owner: User, dataset_id: UUID, ways: Ways) -> Dataset:
    """Read the file again, otherwise. Raises NotFound, and Invalid for what makes no sense for its format."""
    ways.check(finding.find(owner.id, dataset_id).format)
    return _changed(owner, dataset_id, {"options": {"given": ways.given()}})


def rename(owner: User, dataset_id: UUID, name: str) -> Dataset:
    """Call it otherwise; reports go on to call it as they did. Raises NotFound, Invalid and Conflict."""
    finding.find(owner.id, dataset_id)
    naming.check(name)
    try:
        with writing() as session:
            _update(session, owner, dataset_id, {"name": name})
    except IntegrityError:
        raise _taken(name) from None
    return finding.find(owner.id, dataset_id)


def remove(owner: User, dataset_id: UUID, *, dependents: Literal["refuse", "keep"] = "refuse") -> None:
    """Delete a dataset. Raises NotFound, and Conflict with the reports that read it unless these are to stay broken."""
    row = finding.find(owner.id, dataset_id)
    reports = finding.dependents(row) if dependents == "refuse" else []
    if reports:
        names = ", ".join(repr(report.name) for report in reports)
        raise Conflict(
            f"Reports read this dataset and could not be built without it: {names}.",
            dependents=[{"report": str(report.id), "name": report.name} for report in reports],
        )
    with writing() as session:
        _stop(session, owner, dataset_id)
        room.lock(session, owner.id)
        gone = delete(Dataset).where(Dataset.id == dataset_id, Dataset.owner_id == owner.id).returning(Dataset.size)
        room.charge(session, owner.id, -sum(session.scalars(gone.execution_options(synchronize_session=False))))


def _keep(owner_id: UUID, file_name: str, stream: IO[bytes], ways: Ways) -> dict[str, Any]:
    """The columns of a file that is in the store now. Housekeeping removes the bytes of one that was refused."""
    stored, name = room.put(owner_id, stream), storage.safe_name(file_name)
    if not stored.size:
        raise Invalid("The file is empty.")
    with store().open(stored.sha256) as file:
        told = formats.told(file.read(formats.HEAD), name)
    ways.check(told)
    facts = {"sha256": stored.sha256, "size": stored.size, "file_name": name, "format": told}
    return facts | {"options": {"given": ways.given()}}


def _changed(owner: User, dataset_id: UUID, columns: dict[str, Any]) -> Dataset:
    with writing() as session:
        _stop(session, owner, dataset_id)
        room.lock(session, owner.id)
        before = session.scalar(select(Dataset.size).where(Dataset.id == dataset_id).with_for_update()) or 0
        _update(session, owner, dataset_id, columns)
        room.charge(session, owner.id, columns.get("size", before) - before)
        _inspect(session, owner, dataset_id)
    return finding.find(owner.id, dataset_id)


def _update(session: Session, owner: User, dataset_id: UUID, columns: dict[str, Any]) -> None:
    mine = update(Dataset).where(Dataset.id == dataset_id, Dataset.owner_id == owner.id)
    changed = session.execute(mine.values(columns | {"changed_at": now()}).execution_options(synchronize_session=False))
    if not changed.rowcount:  # type: ignore[attr-defined] # deleted meanwhile
        raise NotFound("There is no such dataset.")


def _inspect(session: Session, owner: User, dataset_id: UUID) -> None:
    """From now on only this job may say what is in the file: an older one, still at work, finds itself overtaken."""
    job = jobs.submit(owner, kind_named(KIND), DatasetRef(dataset_id=dataset_id))
    begun = {"state": "inspecting", "job_id": job.id, "table_sha256": None, "columns": [], "rows": None}
    session.execute(
        update(Dataset)
        .where(Dataset.id == dataset_id)
        .values(begun | {"problem": None})
        .execution_options(synchronize_session=False)
    )


def _stop(session: Session, owner: User, dataset_id: UUID) -> None:
    """Nobody waits for what is being read there any more. Jobs are locked before datasets, as their attempts do."""
    job_id = session.scalar(select(Dataset.job_id).where(Dataset.id == dataset_id))
    if job_id is not None:
        with suppress(Conflict):  # it is over
            control.cancel(session, job_id, jobs.actor(owner))


def _one_more(session: Session, owner_id: UUID) -> None:
    most: int = current_app.config["DATASETS_PER_OWNER"]
    if (session.scalar(select(func.count()).where(Dataset.owner_id == owner_id)) or 0) >= most:
        raise StorageFull(f"You have {most} datasets, which is the limit. Delete one that you no longer need.")


def _names(owner_id: UUID) -> set[str]:
    return set(db.session.scalars(select(Dataset.name).where(Dataset.owner_id == owner_id)))


def _taken(name: str) -> Conflict:
    return Conflict(f"You have a dataset called {name!r} already.")
