"""Orders become jobs. However many they are, the ledger takes them in the same few statements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Insert,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import FromClause

from webapi.models import Effect, Job, JobEvent, State
from webapi.models.columns import after, now
from webapi.queue import turns
from webapi.queue.orders import SAID, Order
from webapi.queue.receipts import planned

JOBS, EVENTS = Job.__table__, JobEvent.__table__
DOCUMENTS = {"payload", "tags"}  # they go as texts, so that they come back to the letter
DECIDED = ("id", "state", "run_at", "created_at", "published_at", "turn")  # by the database


def place(session: Session, orders: Sequence[Order]) -> list[Job]:
    """Insert the jobs, their effects and their first events. The rows of their owners are locked already.

    The jobs are objects of no session, so that any thread may read them.
    """
    dialect = session.get_bind().dialect.name
    given = {"orders": json.dumps([_row(order, number, dialect) for number, order in enumerate(orders)])}
    decided = {row.id: row._asdict() for row in session.execute(_jobs(dialect), given)}
    session.execute(_events(dialect), given)
    if effects := [row for order in orders for row in planned(order.id, order.kind, order.acts)]:
        session.execute(insert(Effect), effects)
    return [Job(**order.values, **_others(decided[order.id])) for order in orders]


def _others(decided: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: decided[name] for name in DECIDED if name != "id"}
    return {**known, "epoch": 0, "attempt": 0, "crash_count": 0, "publish_count": 0, "progress": 0}


def _row(order: Order, number: int, dialect: str) -> dict[str, Any]:
    """As JSON, in which each database finds its own types: SQLite keeps ids as 32 digits and moments as seconds."""
    row = {name: _plain(value, dialect) for name, value in order.values.items() if name not in DOCUMENTS}
    at = order.values.get("scheduled_for")
    return row | {
        **{name: json.dumps(order.values[name]) for name in DOCUMENTS},
        "number": number,
        "delay": order.delay,
        "at": _plain(order.run_at, dialect),
        "reason": f"fired by its schedule for {at.isoformat()}" if at else "accepted",
    }


def _plain(value: Any, dialect: str) -> Any:
    if isinstance(value, UUID):
        return str(value) if dialect == "postgresql" else value.hex
    if isinstance(value, datetime):
        return value.isoformat() if dialect == "postgresql" else value.timestamp()
    return value


@cache
def _given(dialect: str) -> FromClause:
    """The parameter `orders` as rows."""
    moment = JOBS.c.run_at.type
    types = {name: Text() if name in DOCUMENTS else JOBS.c[name].type for name in SAID}
    types |= {"number": Integer(), "delay": Float(53), "at": moment, "reason": Text()}
    if dialect == "postgresql":
        rows = func.json_to_recordset(cast(bindparam("orders", type_=Text), JSON))
        columns = [column(name, type_) for name, type_ in types.items()]
        return rows.table_valued(*columns, name="given").render_derived(with_types=True)
    each = func.json_each(bindparam("orders", type_=Text)).table_valued(column("value", Text))
    parts = [func.json_extract(each.c.value, f"$.{name}", type_=type_).label(name) for name, type_ in types.items()]
    return select(*parts).subquery("given")


@cache  # a statement is made once for each database, and compiled once by SQLAlchemy
def _jobs(dialect: str) -> Insert:
    """Whether the time of a job has come is for the database to say; the web's clock may be off."""
    given = _given(dialect)
    at = func.coalesce(after(given.c.delay), given.c.at)
    later = at > now()
    line = func.row_number().over(partition_by=(given.c.kind, given.c.owner_id), order_by=given.c.number)
    values = {
        **{name: _typed(given.c[name], dialect) for name in SAID},
        "run_at": case((at.is_(None), now()), else_=at),
        "state": case((later, literal(State.SCHEDULED.value)), else_=literal(State.QUEUED.value)),
        "published_at": now(),
        "turn": turns.last_of(given.c.kind, given.c.owner_id) + line - 1,
    }
    statement = insert(JOBS).from_select(list(values), select(*values.values()))
    return statement.returning(*(JOBS.c[name] for name in DECIDED))


def _typed(said: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """A document is a text to SQLite, which has no other type for it."""
    return cast(said, JOBS.c[said.key].type) if said.key in DOCUMENTS and dialect == "postgresql" else said


@cache
def _events(dialect: str) -> Insert:
    given = _given(dialect)
    values = {
        "job_id": JOBS.c.id,
        "seq": literal(1),
        "epoch": literal(0),
        "attempt": literal(0),
        "to_state": JOBS.c.state,
        "actor": literal("submit"),
        "reason": given.c.reason,
    }
    accepted = select(*values.values()).join_from(given, JOBS, JOBS.c.id == given.c.id)
    return insert(EVENTS).from_select(list(values), accepted)
