"""Accepting many jobs of one kind at once: one transaction, a few statements however many they are, hints at the end.

The ids of a batch differ in their last 14 bits, which are the places in it: whoever knows one of them knows all. So
the one job that an idempotency key names is enough to answer the whole batch again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Integer,
    Select,
    Text,
    Uuid,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars
from uuid_utils.compat import uuid7

from webapi import metrics, traces
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import Effect, Job, JobEvent, State
from webapi.models.columns import Moment, now
from webapi.models.transaction import after_commit, in_transaction, writing
from webapi.queue import turns
from webapi.queue.hints import Hint
from webapi.queue.idempotency import Once, known, take
from webapi.queue.job import Kind
from webapi.queue.orders import acts_of, mails_of, wanted
from webapi.queue.quotas import count_in
from webapi.queue.receipts import planned
from webapi.queue.ringing import ring
from webapi.queue.seals import sealed
from webapi.queue.submit import committed

PLACES = 14  # bits
MOST = 10_000
RUNG = 200  # jobs that get a hint at once; the relay, which looks each second, rings for the others
MASK = (1 << PLACES) - 1


@dataclass(frozen=True)
class Accepted:
    """The ids of the jobs by their places in the batch; `replayed` says that they were accepted before."""

    ids: dict[int, UUID]
    replayed: bool = False


def again(owner_id: UUID, once: Once | None) -> Accepted | None:
    """What was accepted under this key before; None when nothing was. Raises KeyReused."""
    first = known(db.session(), once, owner_id) if once else None
    return _same(db.session(), owner_id, first) if first else None


def submit_batch(
    kind: Kind,
    payloads: Mapping[int, BaseModel],
    *,
    owner_id: UUID,
    once: Once | None = None,
    delay: float | None = None,
    run_at: datetime | None = None,
    quota: int | None = None,
    **columns: Any,
) -> Accepted:
    """Accept a job for each payload, all of them or none; `payloads` are by their places, below `MOST`.

    The options are those of `submit` and the same for all. Raises KeyReused, QuotaReached, and DatabaseAway.
    """
    base, began = uuid7(), time.perf_counter()
    ids = {place: _placed(base, place) for place in payloads}
    hints = [Hint(kind.name, kind.queue, each) for each in list(ids.values())[: RUNG : kind.batch]]
    first = hints[0].job_id
    joined = in_transaction()
    try:
        with traces.accepting(first, kind.name), writing() as session:
            failpoint("S1b")
            after_commit(lambda: failpoint("S2c"))
            if once and (before := take(session, once, owner_id, first)):
                return _same(session, owner_id, before)
            at, state = _when(session, delay, run_at)
            same = {**columns, "owner_id": owner_id, "run_at": at, "state": state}
            _accept(session, kind, {ids[place]: each for place, each in payloads.items()}, same, quota)
            failpoint("S2a")
            if state == State.QUEUED:
                after_commit(lambda: ring(hints))
            after_commit(lambda: _count(kind.name, len(ids), began))
    except DBAPIError as error:
        if joined or not error.connection_invalidated:
            raise
        committed(first)
        ring(hints)
    return Accepted(ids)


def _count(kind_name: str, jobs: int, began: float) -> None:
    metrics.ACCEPTED.add(kind_name, by=jobs)
    metrics.ACCEPT_SECONDS.observe(time.perf_counter() - began, kind_name)


def _when(session: Session, delay: float | None, run_at: datetime | None) -> tuple[datetime, State]:
    """When all of them begin, by the database's clock, read once: none is ahead of the others."""
    clock: datetime = session.execute(select(now())).scalar_one()
    at = clock + timedelta(seconds=delay) if delay else run_at or clock
    return at, State.SCHEDULED if at > clock else State.QUEUED


def _placed(base: UUID, place: int) -> UUID:
    return UUID(int=base.int & ~MASK | place)


def _same(session: Session, owner_id: UUID, one: UUID) -> Accepted:
    """The jobs of the batch to which `one` belongs."""
    query = select(Job.id).where(Job.owner_id == owner_id, Job.id.between(_placed(one, 0), _placed(one, MASK)))
    return Accepted({each.int & MASK: each for each in session.scalars(query.order_by(Job.id))}, replayed=True)


def _accept(
    session: Session, kind: Kind, payloads: Mapping[UUID, BaseModel], columns: dict[str, Any], quota: int | None
) -> None:
    acts = {job_id: acts_of(kind, each) for job_id, each in payloads.items()}
    mails = sum(mails_of(kind, each, acts[job_id]) for job_id, each in payloads.items())
    count_in(session, columns["owner_id"], wanted(kind, len(payloads), mails, quota, columns))
    _insert(session, kind, payloads, columns)
    if effects := [row for job_id, keys in acts.items() for row in planned(job_id, kind, keys)]:
        session.execute(insert(Effect), effects)


def _insert(session: Session, kind: Kind, payloads: Mapping[UUID, BaseModel], columns: dict[str, Any]) -> None:
    """The jobs and their events."""
    ids, owner_id = list(payloads), columns["owner_id"]
    same = {
        "kind": kind.name,
        "payload_version": kind.version,
        "queue": kind.queue,
        "attempt_budget": kind.retry.budget,
        "request_id": get_contextvars().get("request"),
        **columns,
    }
    table = Job.__table__
    given = _given(session, ids, [json.dumps(sealed(each, owner_id)) for each in payloads.values()]).subquery()
    constants = [literal(value, table.c[name].type) for name, value in same.items()]
    # What is not rung for in the request says so, and the relay rings.
    rung = case((given.c.place <= RUNG, now()), else_=literal(None, Moment))
    turn: int = session.execute(select(turns.last_of(kind.name, owner_id))).scalar_one()
    rows = select(given.c.id, given.c.payload, rung, literal(turn, BigInteger) + given.c.place, *constants)
    session.execute(insert(table).from_select(["id", "payload", "published_at", "turn", *same], rows))
    event = {"seq": 1, "epoch": 0, "attempt": 0, "to_state": columns["state"], "actor": "submit", "reason": "accepted"}
    events = JobEvent.__table__
    said = [literal(value, events.c[name].type) for name, value in event.items()]
    accepted = select(table.c.id, *said).where(table.c.id.between(ids[0], ids[-1]), table.c.owner_id == owner_id)
    session.execute(insert(events).from_select(["job_id", *event], accepted))


def _given(session: Session, ids: Sequence[UUID], payloads: Sequence[str]) -> Select[Any]:
    """Rows of ids, payloads and places from 1: one parameter for each column, however many rows there are."""
    if session.get_bind().dialect.name == "postgresql":
        # As literals of our own: psycopg would write each element in Python, which takes longer than the rest.
        quoted = ('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in payloads)
        arrays = func.unnest(
            cast(literal(f"{{{','.join(map(str, ids))}}}", Text), ARRAY(Uuid)),
            cast(literal(f"{{{','.join(quoted)}}}", Text), ARRAY(Text)),
        )
        names = (column("id", Uuid), column("payload", Text))
        rows = arrays.table_valued(*names, with_ordinality="place", name="given").render_derived()
        return select(rows.c.id, cast(rows.c.payload, JSON).label("payload"), rows.c.place)
    pairs = json.dumps([[each.hex, payload] for each, payload in zip(ids, payloads, strict=True)])
    # The payload is a string in there, so that it comes out to the letter.
    each = func.json_each(pairs).table_valued(column("value", Text), column("key", Integer))
    parts = [func.json_extract(each.c.value, f"$[{index}]").label(name) for index, name in enumerate(("id", "payload"))]
    return select(*parts, (each.c.key + 1).label("place"))
