"""A ledger of any size: jobs in all states with their events, effects and keys, made by the database itself.

Everything about a job follows from its number, so that no table has to be read for another to be filled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, bindparam, text

from tests.queue.rows import OWNER, add_owner
from webapi.extensions import db

KINDS = ("test.note", "email.send", "report.build", "errand.hold", "capped.two", "rated.fast", "email.part")
OWNERS = [OWNER, *(UUID(int=OWNER.int + number) for number in range(1, 8))]
DAYS = 60.0  # over which the jobs are spread; the open ones are the newest
CHUNK = 250_000  # jobs in one transaction: SQLite's log would grow as large as the database
TABLES = ("jobs", "job_events", "effects", "idempotency_keys")

# {h} is a number below 1000 that has nothing to do with the order of the jobs.
STATE = """CASE WHEN n <= :rows - :open THEN
        CASE WHEN {h} < 20 THEN 'failed' WHEN {h} < 21 THEN 'uncertain' WHEN {h} < 30 THEN 'cancelled'
            ELSE 'succeeded' END
    WHEN {h} < 50 THEN 'running' WHEN {h} < 250 THEN 'scheduled' WHEN {h} < 300 THEN 'retrying' ELSE 'queued' END"""
EACH = """FROM (
    SELECT n, {kind} AS kind, {owner} AS owner_id, {id} AS id, {at} AS at, {later} AS later, {state} AS state
    FROM {numbers}) AS made"""
OVER = "state IN ('succeeded', 'failed', 'uncertain', 'cancelled')"
JOBS = f"""
    INSERT INTO jobs (id, owner_id, kind, queue, payload, tags, priority, turn, state, epoch, attempt, attempt_budget,
        crash_count, publish_count, progress, run_at, created_at, started_at, finished_at, published_at, lease_owner,
        lease_until, deadline_at, parent_id, error_code, error_public)
    SELECT id, owner_id, kind, 'default', '{{{{}}}}', CASE WHEN n % 50 = 0 THEN {{tag}} ELSE {{no_tag}} END, 0, n,
        state, 0, CASE WHEN state IN ('queued', 'scheduled') THEN 0 ELSE 1 END, 5, 0, 0, 0,
        CASE WHEN state IN ('scheduled', 'retrying') THEN later ELSE at END, at,
        CASE WHEN {OVER} OR state = 'running' THEN at END, CASE WHEN {OVER} THEN at END, later,
        CASE WHEN state = 'running' THEN 'elsewhere:1' END, CASE WHEN state = 'running' THEN later END,
        CASE WHEN n % 20 = 0 THEN later END, CASE WHEN n % 100 = 99 THEN {{parent}} END,
        CASE WHEN state = 'failed' THEN 'refused' END, CASE WHEN state = 'failed' THEN 'It was declined.' END
    {{each}}
"""
EVENTS = f"""
    INSERT INTO job_events (job_id, seq, at, epoch, attempt, from_state, to_state, refines, actor, reason)
    SELECT id, seq, at, 0, CASE seq WHEN 1 THEN 0 ELSE 1 END,
        CASE seq WHEN 2 THEN 'queued' WHEN 3 THEN 'running' END,
        CASE WHEN seq = 2 THEN 'running' WHEN seq = 3 OR state = 'scheduled' THEN state ELSE 'queued' END,
        false, 'submit', 'accepted'
    {{each}}, (SELECT 1 AS seq UNION ALL SELECT 2 UNION ALL SELECT 3) AS seqs
    WHERE seq = 1 OR (seq = 2 AND state NOT IN ('queued', 'scheduled')) OR (seq = 3 AND ({OVER} OR state = 'retrying'))
"""
EFFECTS = f"""
    INSERT INTO effects (id, job_id, effect_key, kind, state, maybe, try_no, resends)
    SELECT id, id, 'person' || n || '@example.com', 'mail',
        CASE WHEN state = 'uncertain' THEN 'unknown' WHEN {OVER} THEN 'done' ELSE 'pending' END, false, 1, 0
    {{each}} WHERE kind = 'email.send'
"""
KEYS = """
    INSERT INTO idempotency_keys (owner_id, route, key, fingerprint, job_id, created_at, expires_at)
    SELECT owner_id, 'POST /jobs', 'key-' || n, 'f', id, at, later {each} WHERE n % 5 = 0
"""
INDEXES = {  # those behind no constraint, and the statements that make them
    "postgresql": "SELECT CAST(CAST(indexrelid AS regclass) AS text), pg_get_indexdef(indexrelid) FROM pg_index"
    " JOIN pg_class ON pg_class.oid = indrelid WHERE relname IN :tables"
    " AND relnamespace = CAST('public' AS regnamespace) AND NOT EXISTS"
    " (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN :tables",
}
WORDS: dict[str, dict[str, str]] = {
    "postgresql": {
        "id": "(lpad(to_hex(({at})::bigint), 12, '0') || '7' || lpad(to_hex({n} % 4096), 3, '0') || '8'"
        " || lpad(to_hex({n}), 15, '0'))::uuid",
        "moment": "to_timestamp(({at}) / 1000.0)",
        "pick": "(ARRAY[{words}])[{index} + 1]",
        "numbers": "generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n",
        "tag": "'[\"seldom\"]'::jsonb",
        "no_tag": "'[]'::jsonb",
    },
    "sqlite": {
        "id": "printf('%012x7%03x8%015x', CAST({at} AS INTEGER), {n} % 4096, {n})",
        "moment": "({at}) / 1000.0",
        "pick": "json_extract('[{words}]', '$[' || ({index}) || ']')",
        "numbers": "(WITH RECURSIVE each(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM each WHERE n < :last)"
        " SELECT n FROM each)",
        "tag": "'[\"seldom\"]'",
        "no_tag": "'[]'",
    },
}


@dataclass(frozen=True)
class Throng:
    """How many jobs there are; the last `open` of them are not over."""

    rows: int
    open: int


def fill(throng: Throng) -> None:
    """Fill an empty ledger."""
    for number, owner in enumerate(OWNERS):
        add_owner(owner, f"person{number}@example.com")
    db.session.remove()
    words, began = _words(db.engine.dialect.name), (time.time() - DAYS * 86400) * 1000
    given = {"rows": throng.rows, "open": throng.open, "began": began, "step": DAYS * 86_400_000 / throng.rows}
    given["soon"] = (time.time() + 3600) * 1000
    with _unhurried(db.engine) as connection, _indexes_afterwards(connection):
        for first in range(1, throng.rows + 1, CHUNK):
            bounds = {**given, "first": first, "last": min(first + CHUNK - 1, throng.rows)}
            for statement in (JOBS, EVENTS, EFFECTS, KEYS):
                wanted = statement.format(**words)
                connection.execute(text(wanted), {name: bounds[name] for name in bounds if f":{name}" in wanted})
            connection.commit()
    if db.engine.dialect.name == "postgresql":  # as autovacuum does; nobody does it on SQLite
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


@contextmanager
def _unhurried(engine: Engine) -> Iterator[Connection]:
    """A connection of which nobody asks that it is durable, or that rows are there to which others refer."""
    quick = {
        "postgresql": (
            "SET synchronous_commit = off",
            "SET session_replication_role = replica",
            "SET maintenance_work_mem = '512MB'",
        ),
        "sqlite": ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF"),
    }
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for setting in quick[engine.dialect.name]:
            cursor.execute(setting)
        yield connection
        connection.invalidate()  # no other is to have it


@contextmanager
def _indexes_afterwards(connection: Connection) -> Iterator[None]:
    """To sort an index at the end takes a fraction of the time for which it would be kept with each row."""
    query = text(INDEXES[connection.dialect.name]).bindparams(bindparam("tables", expanding=True))
    found = connection.execute(query, {"tables": TABLES}).all()
    for name, _ in found:
        connection.execute(text(f"DROP INDEX {name}"))
    connection.commit()
    yield
    for _, made_by in found:
        connection.exec_driver_sql(made_by)
        connection.commit()


def _words(dialect: str) -> dict[str, Any]:
    own = WORDS[dialect]
    at, h, first = ":began + {n} * :step", "((n % 100003) * 7919 % 1000)", "(n - n % 100 + 1)"
    quoted = "'{}'" if dialect == "postgresql" else '"{}"'
    ids = [f"'{each}'::uuid" if dialect == "postgresql" else f'"{each.hex}"' for each in OWNERS]
    kinds = [quoted.format(each) for each in KINDS]
    words = {name: own[name] for name in ("numbers", "tag", "no_tag", "pick")}
    words |= {
        "kind": own["pick"].format(words=", ".join(kinds), index=f"((n % 100003) * 31 % 1009 % {len(kinds)})"),
        "owner": own["pick"].format(words=", ".join(ids), index=f"((n % 100003) * 17 % 997 % {len(ids)})"),
        "id": own["id"].format(at=at.format(n="n"), n="n"),
        "parent": own["id"].format(at=at.format(n=first), n=first),
        "at": own["moment"].format(at=at.format(n="n")),
        "later": own["moment"].format(at=":soon + n"),
        "state": STATE.format(h=h),
    }
    return words | {"each": EACH.format(**words)}
