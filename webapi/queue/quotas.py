"""What an owner may have: jobs that are not over, and mails a day. Counted in the transaction that accepts a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from webapi.errors import QuotaReached
from webapi.extensions import db
from webapi.models import User

# By the database's calendar, so that all processes agree when a day begins.
MAILS_TODAY: ColumnElement[int] = case((User.mails_on == func.current_date(), User.mails_today), else_=0)


@dataclass(frozen=True)
class Wanted:
    """What is about to be accepted. Without a `quota`, as for work of our own, it is counted and never refused.

    Mails without a job are those of a job that was accepted before.
    """

    jobs: int
    mails: int
    quota: int | None


def count_in(session: Session, owner_id: UUID, wanted: Wanted) -> None:
    """Before the insertion, for this locks the owner's row: jobs that come at once see one another's turns.

    Raises QuotaReached.
    """
    values: dict[Any, Any] = {User.open_jobs: User.open_jobs + wanted.jobs}
    if wanted.mails:
        values |= {User.mails_today: MAILS_TODAY + wanted.mails, User.mails_on: func.current_date()}
    row = update(User).where(User.id == owner_id, *_room(wanted)).values(values)
    done = session.execute(row.execution_options(synchronize_session=False))
    if not done.rowcount:  # type: ignore[attr-defined]
        raise QuotaReached(_why(session, owner_id, wanted))


def count_all_in(session: Session, owner_id: UUID, wanted: Sequence[Wanted]) -> None:
    """The same for several of one owner and one quota: all of them are counted, or none. Raises QuotaReached."""
    jobs, mails = sum(each.jobs for each in wanted), sum(each.mails for each in wanted)
    count_in(session, owner_id, Wanted(jobs, mails, wanted[0].quota))


def mails_today(owner_id: UUID) -> int:
    """How many mails of this owner were accepted today."""
    return db.session.scalar(select(MAILS_TODAY).where(User.id == owner_id)) or 0


def mails_a_day() -> int:
    """How many may be."""
    most: int = current_app.config["MAILS_PER_DAY"]
    return most


def _room(wanted: Wanted) -> list[ColumnElement[bool]]:
    if wanted.quota is None:
        return []
    room = [User.open_jobs <= wanted.quota - wanted.jobs] if wanted.jobs else []
    return [*room, mails_a_day() - wanted.mails >= MAILS_TODAY] if wanted.mails else room


def _why(session: Session, owner_id: UUID, wanted: Wanted) -> str:
    open_jobs = session.scalar(select(User.open_jobs).where(User.id == owner_id)) or 0
    if wanted.jobs and wanted.quota is not None and open_jobs + wanted.jobs > wanted.quota:
        return f"You may have {wanted.quota} jobs that are not over; this would be more. Try again later."
    return f"You may send {mails_a_day()} mails a day; this would be more. Try again tomorrow."
