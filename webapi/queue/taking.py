"""Taking turns: which jobs of a kind go next, one or many at once, and who has which turn after that.

The earliest turns are taken, each by the best job of its owner, and jobs that held one without being the best get
those of the jobs that went before them: just as if the jobs were taken one by one. The rows of all are locked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Uuid,
    bindparam,
    func,
    null,
    or_,
    select,
    true,
    update,
)  # fmt: skip
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import FromClause

from webapi.models import Gate
from webapi.models.columns import now
from webapi.queue.ledger import JOBS, QUEUED

KIND = bindparam("a_kind", type_=String)
PAUSED = select(Gate.kind).where(Gate.kind == KIND, Gate.paused_at.is_not(None)).exists()


@dataclass(frozen=True)
class Held:
    """A turn, and the job that holds it."""

    id: UUID
    owner_id: UUID
    turn: int


@dataclass(frozen=True)
class Best(Held):
    """A job that goes before others of its owner. `alone` is one that may take its neighbours down with it, or whom
    their death would cost its last attempt.
    """

    alone: bool


@dataclass(frozen=True)
class Taken:
    """The jobs that go, in their order, and one of those that were locked with them and stay. Who came meanwhile found
    neither and is gone, so nobody may be on the way to it.
    """

    ids: list[UUID]
    left: UUID | None


def _claimable(jobs: FromClause) -> tuple[ColumnElement[bool], ...]:
    return (
        jobs.c.state == QUEUED,
        jobs.c.kind == KIND,
        jobs.c.payload_version <= bindparam("a_version", type_=Integer),  # a newer one is left to who can read it
        jobs.c.cancel_requested_at.is_(None),
        or_(jobs.c.deadline_at.is_(None), jobs.c.deadline_at > now()),
        ~PAUSED,
    )


def _alone(jobs: FromClause) -> ColumnElement[bool]:
    return or_(jobs.c.crash_count > 0, jobs.c.attempt + 1 >= jobs.c.attempt_budget)


TURNS = (
    select(JOBS.c.id, JOBS.c.owner_id, JOBS.c.turn)
    .where(*_claimable(JOBS))
    .order_by(JOBS.c.turn, JOBS.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)


def _best_of(owner_id: Any, count: Any, jobs: FromClause) -> Any:
    columns = (jobs.c.id, jobs.c.owner_id, jobs.c.turn, _alone(jobs).label("alone"))
    line = select(*columns).where(*_claimable(jobs), jobs.c.owner_id == owner_id)
    return line.order_by(jobs.c.priority, jobs.c.run_at, jobs.c.id).limit(count).with_for_update(skip_locked=True)


BEST = _best_of(bindparam("an_owner", type_=Uuid), bindparam("most", type_=Integer), JOBS)


def _both() -> Any:
    """The turns, then the best jobs of their owners, each owner's in order. SQLite lacks LATERAL, and has no need of
    it: there a statement for each owner is no round trip.
    """
    # Materialised: a plain subquery may be run again, and each run would skip what the last one locked.
    held = TURNS.cte("held").prefix_with("MATERIALIZED", dialect="postgresql")
    owners = select(held.c.owner_id, func.count().label("count")).group_by(held.c.owner_id).subquery("owners")
    best = _best_of(owners.c.owner_id, owners.c.count, JOBS.alias("mine")).lateral("best")
    return select(held, null().label("alone")).union_all(
        select(best.c.id, best.c.owner_id, best.c.turn, best.c.alone).select_from(owners.join(best, true()))
    )


BOTH = _both()
PASS_ON = (
    update(JOBS).where(JOBS.c.id == bindparam("an_id", type_=Uuid)).values(turn=bindparam("a_turn", type_=BigInteger))
)


def take(session: Session, kind: str, version: int, most: int) -> Taken:
    """Let the jobs that go next have their turns, at most so many. What is to go alone is taken alone."""
    held, line = _look(session, {"a_kind": kind, "a_version": version, "most": most})
    pairs = [(each, line[each.owner_id].pop(0)) for each in held if line[each.owner_id]]
    if most > 1:
        ends = next((place for place, (_, best) in enumerate(pairs) if best.alone), len(pairs))
        pairs = pairs[: max(1, ends)]
    if exchanged := _exchanged(pairs):
        session.connection().execute(PASS_ON, exchanged)
    ids = [best.id for _, best in pairs]
    return Taken(ids, next((each.id for each in held if each.id not in ids), None))


def _look(session: Session, wanted: dict[str, Any]) -> tuple[list[Held], dict[UUID, list[Best]]]:
    connection, line = session.connection(), defaultdict[UUID, list[Best]](list)
    if connection.dialect.name == "postgresql":
        rows = connection.execute(BOTH, wanted).all()
        held = [Held(*row[:3]) for row in rows if row.alone is None]
        best = [Best(*row) for row in rows if row.alone is not None]
    else:
        held = [Held(*row) for row in connection.execute(TURNS, wanted)]
        best = []
        for owner_id in dict.fromkeys(each.owner_id for each in held):
            count = sum(each.owner_id == owner_id for each in held)
            theirs = connection.execute(BEST, {**wanted, "an_owner": owner_id, "most": count})
            best += [Best(*row) for row in theirs]
    for each in best:
        line[each.owner_id].append(each)
    return held, line


def _exchanged(pairs: Sequence[tuple[Held, Best]]) -> list[dict[str, Any]]:
    """Who has another turn from now on. Those that go keep the one that they took, in case they are handed back."""
    found = [{"an_id": best.id, "a_turn": held.turn} for held, best in pairs if best.turn != held.turn]
    holders, gone = {held.id for held, _ in pairs}, {best.id for _, best in pairs}
    left = defaultdict[UUID, list[int]](list)
    for _, best in pairs:
        if best.id not in holders:
            left[best.owner_id].append(best.turn)
    stay = [held for held, _ in pairs if held.id not in gone]
    return found + [{"an_id": held.id, "a_turn": left[held.owner_id].pop(0)} for held in stay]
