"""Gates: what holds a whole kind back over all workers together, by its rate, its concurrency or a pause.

They live in SQL, so that they hold whatever Redis forgets. The rate is the generic cell rate algorithm
(ITU-T I.371 annex A), which is a token bucket in one column: `ready_at` moves on by one interval with
each attempt, and an attempt may begin up to `BURST` seconds before it. A hint that finds its gate shut is dropped;
the relay rings again for as many jobs as the gate would let pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapi.extensions import db
from webapi.models import Gate, Job, State
from webapi.models.columns import after, later, now
from webapi.models.transaction import writing
from webapi.queue.hints import Hint, Hints
from webapi.queue.job import Kind
from webapi.queue.ledger import first_of
from webapi.queue.ringing import ring

SILENCE, LONGEST_SILENCE = 2.0, 60.0  # seconds until a job of a gated kind may be rung for again
BURST = 2.0  # seconds of its rate that a kind may begin at once after a pause; the relay looks each second


class Shut(Exception):
    """The kind's gate lets nothing pass just now."""


@dataclass(frozen=True)
class Opening:
    """How a kind's gate stands. `room` is how many attempts may begin now; without a limit it is infinite."""

    room: float
    running: int
    wait: float  # seconds until the rate lets the next one pass; 0 when it does now
    paused_at: datetime | None


def is_paused() -> ColumnElement[bool]:
    """For a query of jobs: whether somebody paused the job's kind."""
    return select(Gate.kind).where(Gate.kind == Job.kind, Gate.paused_at.is_not(None)).exists()


def enter(session: Session, kind: Kind) -> None:
    """Take one place at a gated kind's gate, in the transaction that claims. Raises Shut.

    The gate's row is locked until the transaction ends, so that two claims never take one place;
    rolling back gives the place back.
    """
    if not kind.gated:
        return
    if _look(session, kind).room < 1:
        raise Shut
    if kind.interval is not None:
        free = case((Gate.ready_at > now(), Gate.ready_at), else_=now())
        session.execute(
            update(Gate)
            .where(Gate.kind == kind.name)
            .values(ready_at=later(free, kind.interval))
            .execution_options(synchronize_session=False)
        )


def opening(kind: Kind) -> Opening:
    """How the kind's gate stands, for whoever wants to know."""
    return _opening(db.session(), kind, db.session.execute(_row(kind.name)).first())


def ring_waiting() -> None:
    """Ring for those waiting jobs of gated kinds that their gates would let pass."""
    hints: Hints = current_app.extensions["hints"]
    answering = hints.answering()
    for kind in current_app.extensions["kinds"].values():
        if kind.gated and hints.at(kind.queue) in answering and _any_waits(kind):
            _ring(kind)


def ring_next(kind: Kind) -> None:
    """A place is free again at a kind with a cap: wake the next job at once, not at the relay's next pass."""
    if kind.concurrency is not None and _any_waits(kind):
        _ring(kind)


def pause(kind_name: str, actor: str) -> None:
    """Let no attempt of a kind begin until `resume`, on any worker. What runs goes on."""
    with writing() as session:
        _ensure(session, kind_name)
        held = update(Gate).where(Gate.kind == kind_name, Gate.paused_at.is_(None))
        session.execute(held.values(paused_at=now(), paused_by=actor))


def resume(kind_name: str) -> None:
    """End a pause. The relay rings for all that waited."""
    with writing() as session:
        session.execute(update(Gate).where(Gate.kind == kind_name).values(paused_at=None, paused_by=None))
        waiting = update(Job).where(Job.kind == kind_name, Job.state == State.QUEUED)
        session.execute(waiting.values(published_at=None).execution_options(synchronize_session=False))


def paused() -> dict[str, datetime]:
    """The kinds that somebody paused, and since when."""
    rows = db.session.execute(select(Gate.kind, Gate.paused_at).where(Gate.paused_at.is_not(None)))
    return {row.kind: row.paused_at for row in rows}


def _ring(kind: Kind) -> None:
    """The jobs that are rung hold the gate's places for a moment, so that several relays do not ring for more."""
    with writing() as session:
        room = _look(session, kind).room
        fresh = session.scalar(select(func.count()).select_from(_waiting(kind).where(~_unheard()).subquery())) or 0
        places = int(min(room - fresh, 500))
        if places < 1:
            return
        rows = session.execute(
            update(Job)
            .where(first_of(*_of(kind), _unheard(), limit=places, order=(Job.turn, Job.id)))
            .values(published_at=now(), publish_count=Job.publish_count + 1)
            .returning(Job.kind, Job.queue, Job.id)
            .execution_options(synchronize_session=False)
        ).all()
    ring([Hint(*row) for row in rows])


def _look(session: Session, kind: Kind) -> Opening:
    """How the gate stands, while its row is locked for us."""
    row = session.execute(_row(kind.name).with_for_update()).first()
    if row is None:
        _ensure(session, kind.name)
        row = session.execute(_row(kind.name).with_for_update()).one()
    return _opening(session, kind, row)


def _row(kind_name: str) -> Select[datetime | None, datetime | None, datetime]:
    return select(Gate.paused_at, Gate.ready_at, now().label("clock")).where(Gate.kind == kind_name)


def _opening(session: Session, kind: Kind, row: Any) -> Opening:
    paused_at, ready_at, clock = row or (None, None, None)
    room, wait, running = math.inf, 0.0, 0
    if kind.interval is not None:
        ahead = max(0.0, (ready_at - clock).total_seconds()) if ready_at else 0.0
        allowed = max(0.0, BURST - kind.interval)
        room = 0 if ahead > allowed else 1 + math.floor(round((allowed - ahead) / kind.interval, 6))
        wait = max(0.0, ahead - allowed)
    if kind.concurrency is not None:
        running = session.scalar(select(func.count()).where(Job.kind == kind.name, Job.state == State.RUNNING)) or 0
        room = min(room, max(0, kind.concurrency - running))
    return Opening(0 if paused_at else room, running, wait, paused_at)


def _ensure(session: Session, kind_name: str) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(Gate).values(kind=kind_name).on_conflict_do_nothing())


def _of(kind: Kind) -> tuple[ColumnElement[bool], ...]:
    return Job.kind == kind.name, Job.state == State.QUEUED, Job.payload_version <= kind.version


def _waiting(kind: Kind) -> Select[UUID]:
    return select(Job.id).where(*_of(kind))


def _any_waits(kind: Kind) -> bool:
    """In the order of an index, so that the first one is found at once."""
    return db.session.scalar(_waiting(kind).order_by(Job.turn, Job.id).limit(1)) is not None


def _unheard() -> ColumnElement[bool]:
    """Jobs whose last hint is so old that it found the gate shut or was lost; the longer, the oftener it was sent."""
    silence = case(*((Job.publish_count == count, SILENCE * 2**count) for count in range(5)), else_=LONGEST_SILENCE)
    return or_(Job.published_at.is_(None), Job.published_at < after(-silence))
