"""Fair turns: the owners of a kind's queued jobs take turns, however many jobs each of them has.

Each queued job holds a turn: one more than the last of its owner's other queued jobs of the kind, or, when the owner
has none, one more than the earliest of the whole kind. That is fair queueing by tags (Goyal, Vin and Cheng 1996) with
the earliest waiting turn as its clock; whoever comes joins the next round and not the present one, which would never
end if others could come back to it. The earliest turn says whose it is, and of that owner's jobs the best goes: the
lowest priority, then the oldest. The job whose turn was taken gets the turn of the one that went, so that an owner's
turns are neither lost nor doubled.

A kind of which nothing waits begins anew at the clock's microseconds, which is later than any turn before: nobody
claims a million jobs a second. Owners share no row, so that nobody waits for another to be accepted.
`webapi.queue.taking` takes turns, one or many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, literal, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from webapi.models import Job, User
from webapi.models.columns import Moment, ticks
from webapi.queue.ledger import QUEUED

MINE, FIRST = aliased(Job), aliased(Job)  # made once: they are slow to make
Name = SQLColumnExpression[str] | str  # a kind, or where it stands
COUNTED = 10_000  # jobs; whoever asks where a job stands is told "more than" beyond it


def last_of(kind: Name, owner_id: SQLColumnExpression[UUID] | UUID) -> ColumnElement[int]:
    """The turn behind those of the owner's queued jobs of the kind. For a job that is not queued yet."""
    own = select(MINE.turn + 1).where(MINE.kind == kind, MINE.owner_id == owner_id, MINE.state == QUEUED)
    last = own.order_by(MINE.turn.desc()).limit(1).correlate_except(MINE).scalar_subquery()
    return func.coalesce(last, _first(kind) + 1, ticks())


def first_of_all(kind: Name) -> ColumnElement[int]:
    """The earliest turn of the whole kind: for a job whose turn came once and was for nothing."""
    return func.coalesce(_first(kind), ticks())


def _first(kind: Name) -> ColumnElement[int]:
    first = select(FIRST.turn).where(FIRST.kind == kind, FIRST.state == QUEUED).order_by(FIRST.turn).limit(1)
    return first.correlate_except(FIRST).scalar_subquery()


def line_up(session: Session, job_ids: Sequence[UUID]) -> None:
    """Give turns to jobs that this transaction has locked and is about to queue, in the order of each owner's line.

    Their owners are locked, as by whoever accepts a job: no two of an owner's jobs get one turn.
    """
    mine = Job.id.in_(job_ids)
    owners = select(User.id).where(User.id.in_(select(Job.owner_id).where(mine))).order_by(User.id)
    session.execute(owners.with_for_update(key_share=True))
    line = (Job.kind, Job.owner_id)
    # Each line's next turn is read once, and before any of its jobs has one.
    nexts = select(*line, last_of(*line).label("turn")).where(mine).group_by(*line).cte("nexts")
    place = func.row_number().over(partition_by=line, order_by=(Job.priority, Job.run_at, Job.id)) - 1
    places = select(Job.id, *line, place.label("place")).where(mine).cte("places")
    same = (Job.id == places.c.id, nexts.c.kind == places.c.kind, nexts.c.owner_id == places.c.owner_id)
    given = update(Job).where(*same).values(turn=nexts.c.turn + places.c.place)
    session.execute(given.execution_options(synchronize_session=False))


def ahead(session: Session, job: Job) -> tuple[int, int]:
    """How many queued jobs of the kind come before `job`: of its owner, and of others; each is counted to `COUNTED`."""
    of_kind = select(Job.turn).where(Job.kind == job.kind, Job.state == QUEUED)
    line = of_kind.where(Job.owner_id == job.owner_id)
    place = tuple_(Job.priority, Job.run_at, Job.id)
    before = line.where(place < tuple_(job.priority, literal(job.run_at, Moment), job.id))
    mine = _counted(session, before)
    held = session.execute(line.add_columns(Job.id).order_by(Job.turn, Job.id).offset(mine).limit(1)).first()
    if held is None:  # it has just been taken
        return mine, 0
    earlier = tuple_(Job.turn, Job.id) < tuple_(held.turn, held.id)
    return mine, _counted(session, of_kind.where(Job.owner_id != job.owner_id, earlier))


def _counted(session: Session, rows: Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(rows.limit(COUNTED).subquery())) or 0
