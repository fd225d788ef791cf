"""The bytes that an owner keeps: uploads, datasets and files of jobs, counted with the rows that name them."""

from __future__ import annotations

from typing import IO
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from webapi.errors import StorageFull
from webapi.extensions import db
from webapi.models import Artifact, Dataset, Job, Upload, User
from webapi.models.transaction import in_transaction, writing
from webapi.queue.files import Stored, TooLong, store

FREE_SOME = "Delete datasets, uploads or files of jobs that you no longer need; your account lists the largest."


def lock(session: Session, owner_id: UUID) -> None:
    """Before rows that name an owner's files are changed and `charge` follows: whoever accepts a job or ends one has
    the owner first and such rows then, and the two could wait for each other."""
    session.execute(select(User.id).where(User.id == owner_id).with_for_update(key_share=True))


def charge(session: Session, owner_id: UUID, change: int) -> None:
    """Count bytes in the transaction that names or forgets them. Raises StorageFull; the owner's row stays locked."""
    row = update(User).where(User.id == owner_id).values(storage_bytes=User.storage_bytes + change)
    if change > 0:
        row = row.where(User.storage_bytes + change <= most())
    if session.execute(row.execution_options(synchronize_session=False)).rowcount == 0:  # type: ignore[attr-defined]
        raise _full(used(owner_id), change)


def check(owner_id: UUID, more: int) -> int:
    """Before so many bytes are sent. Returns how many there is room for; raises StorageFull when it is less."""
    kept = used(owner_id)
    if kept + more > most():
        raise _full(kept, more)
    return most() - kept


def kept() -> ColumnElement[int]:
    """What the rows say that an owner keeps, beside their row in `users`."""
    uploads = select(func.sum(Upload.size)).where(Upload.owner_id == User.id)
    datasets = select(func.sum(Dataset.size)).where(Dataset.owner_id == User.id)
    produced = select(func.sum(Artifact.size)).join(Job, Job.id == Artifact.job_id).where(Job.owner_id == User.id)
    sums = [func.coalesce(each.scalar_subquery(), 0) for each in (uploads, datasets, produced)]
    return sums[0] + sums[1] + sums[2]


def recount() -> int:
    """Count anew for the owners whose number is wrong, also while they work. Returns how many they are."""
    wrong = db.session.scalars(select(User.id).where(User.storage_bytes != kept())).all()
    for owner_id in wrong:
        with writing() as session:
            lock(session, owner_id)  # by a statement of its own, so that the next one sees what it waited for
            row = update(User).where(User.id == owner_id).values(storage_bytes=kept())
            session.execute(row.execution_options(synchronize_session=False))
    return len(wrong)


def put(owner_id: UUID, stream: IO[bytes]) -> Stored:
    """Keep a stream; `charge` is to follow. Raises StorageFull as soon as it is longer than there is room.

    Somebody may take an hour to send it: no connection to the database waits for them.
    """
    left = check(owner_id, 1)
    if not in_transaction():
        db.session.commit()
    try:
        return store().put(stream, left)
    except TooLong as error:
        raise _full(used(owner_id), error.size) from None


def used(owner_id: UUID) -> int:
    """The bytes that an owner keeps."""
    return db.session.scalar(select(User.storage_bytes).where(User.id == owner_id)) or 0


def most() -> int:
    """How many an owner may keep."""
    limit: int = current_app.config["STORAGE_BYTES_PER_OWNER"]
    return limit


def _full(kept: int, more: int) -> StorageFull:
    sentence = f"You keep {_size(kept)} of the {_size(most())} that you may, and this is {_size(more)} or more. "
    return StorageFull(sentence + FREE_SOME)


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"
