"""A ledger full of jobs that are over, and workers, as rows: quicker than to live through them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import event, insert, text
from uuid_utils.compat import uuid7

from tests.queue.rows import OWNER
from webapi.extensions import db
from webapi.models import State, Worker
from webapi.models.columns import SQLITE_NOW, after, now
from webapi.models.transaction import writing
from webapi.version import VERSION

# A row's id, made by the database: UUIDs are text of 32 digits on SQLite.
IDS = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
CLOCK = {
    "sqlite": f"({SQLITE_NOW} - :ago)",
    "postgresql": "(clock_timestamp() - make_interval(secs => :ago))",
}
JOBS = """
    INSERT INTO jobs (id, owner_id, kind, queue, payload, tags, priority, state, epoch, attempt, attempt_budget,
        crash_count, publish_count, progress, error_code, run_at, created_at, finished_at)
    SELECT {id}, :owner, :kind, 'default', '{{}}', '[]', 0, :state, 0, 1, 1, 0, 0, 0, :code, {at}, {at}, {over}
    FROM {numbers}
"""
NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT i FROM n)",
    "postgresql": "generate_series(1, :count)",
}
EVENTS = """
    INSERT INTO job_events (job_id, seq, at, epoch, attempt, from_state, to_state, refines, actor, reason)
    SELECT id, 3, run_at, 0, 1, 'running', state, false, 'x', 'x' FROM jobs
    WHERE NOT EXISTS (SELECT 1 FROM job_events WHERE job_events.job_id = jobs.id)
"""


def fill(count: int, state: State, *, ago: float = 10.0, kind: str = "test.note", code: str | None = None) -> None:
    """So many jobs that came to `state` so many seconds ago, each with the event of it."""
    name = db.engine.dialect.name
    owner = OWNER.hex if name == "sqlite" else OWNER
    places = {"id": IDS[name], "at": CLOCK[name], "numbers": NUMBERS[name]}
    given = {"owner": owner, "kind": kind, "state": state.value, "code": code, "count": count, "ago": ago}
    with writing() as session:
        session.execute(text(JOBS.format(**places, over=CLOCK[name] if state.final else "NULL")), given)
        session.execute(text(EVENTS))


def worker(queues: str = "default,email,reports", *, quiet: float = 0.0, **more: Any) -> UUID:
    """A worker that said something so many seconds ago."""
    values: dict[str, Any] = {"id": uuid7(), "host": "there", "pid": 7, "slots": 2, "busy": 0, "version": VERSION}
    values |= {"queues": queues.split(","), "seen_at": after(-quiet), "started_at": now(), **more}
    with writing() as session:
        session.execute(insert(Worker).values(**values))
    found: UUID = values["id"]
    return found


@contextmanager
def statements(asked: list[tuple[str, Any]]) -> Iterator[None]:
    """Every statement that is sent within the block, with its parameters."""

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)


def plans(asked: list[tuple[str, Any]]) -> list[str]:
    """How the database goes about each of these statements."""
    sqlite = db.engine.dialect.name == "sqlite"
    db.session.rollback()
    with db.engine.connect() as connection:
        if not sqlite:
            connection.execute(text("ANALYZE"))
        explained = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explained} {statement}", parameters))
            for statement, parameters in asked
            if not statement.startswith("SET")
        ]
