"""The SQL of the job list over many rows, on PostgreSQL, as EXPLAIN ANALYZE sees it.

    python -m benchmarks.lists [--rows 1000000] [--runs 5]

One person owns half of the rows, which are spread over 60 days. Every statement that a page of the list runs is
explained; the figure is their planning and execution together, the median of the runs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import event, select, text
from uuid_utils.compat import uuid7

from benchmarks.goals import Goal, table
from webapi import create_app
from webapi.extensions import db
from webapi.local.drill.database import ledger
from webapi.local.processes import Supervisor
from webapi.local.scratch import defaults
from webapi.models import Job, User
from webapi.models.transaction import writing
from webapi.services import job_facets, job_lists, job_queries

QUERIES = (
    "", "state:failed", "state:uncertain,failed", "state:running", "kind:email.send", "kind:image.resize",
    "kind:report.build state:failed", "tag:common", "tag:seldom", "tag:once", "tag:common state:failed",
    "error:refused", "error:rare", "older:30d", "newer:1h", "created:yesterday", "state:failed finished:today",
    "finished<2020-01-01", "-state:succeeded", "-kind:email.send", "declined", "nowhere",
)  # fmt: skip
BY_STATE, MOST = ("", "state:failed", "state:uncertain,failed", "state:running"), 5.0  # the goal, in milliseconds
FILL = """
INSERT INTO jobs (id, owner_id, kind, payload, queue, priority, tags, state, epoch, attempt, attempt_budget,
  crash_count, run_at, publish_count, sandbox, progress, error_code, error_public, created_at, finished_at, lease_until)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
    || substr(md5(n::text), 4, 15))::uuid,
  CASE WHEN n % 2 = 0 THEN CAST(:owner AS uuid) ELSE CAST(:other AS uuid) END,
  CASE WHEN n % 1000 < 700 THEN 'email.send' WHEN n % 1000 < 900 THEN 'report.build'
    WHEN n % 1000 < 999 THEN 'http.call' ELSE 'image.resize' END,
  json_build_object('to', md5(n::text), 'text', repeat('x', 200)), 'default', 0,
  CASE WHEN g % 10 < 2 THEN '["common"]'::jsonb WHEN g % 100 = 7 THEN '["seldom", "b"]'::jsonb
    WHEN n % 50000 = 6 THEN '["once"]'::jsonb ELSE '[]'::jsonb END,
  state, 0, 1, 5, 0, at, 1, false, 0,
  CASE WHEN state <> 'failed' THEN NULL WHEN h % 7 = 0 THEN 'transient' WHEN n % 5000 < 2 THEN 'rare'
    ELSE 'refused' END,
  CASE WHEN state = 'failed' THEN 'The server declined it.' END, at,
  CASE WHEN state IN ('succeeded', 'failed', 'uncertain', 'cancelled') THEN at + interval '2 seconds' END,
  CASE WHEN state = 'running' THEN now() END
FROM (
  SELECT n, now() - (:rows - n) * interval '60 days' / :rows AS at, abs(hashint4(n)) AS h,
    abs(hashint4(n + 7)) AS g,
    CASE WHEN n > :rows - 20 THEN 'running' WHEN n > :rows - 200 THEN 'queued'
      WHEN abs(hashint4(n)) % 50 = 3 THEN 'failed' WHEN abs(hashint4(n)) % 1000 = 4 THEN 'uncertain'
      WHEN abs(hashint4(n)) % 100 = 5 THEN 'cancelled' ELSE 'succeeded' END AS state
  FROM generate_series(1, :rows) AS n
) AS made
"""


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is run meanwhile, with its parameters."""
    statements: list[tuple[str, Any]] = []

    def hear(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            statements.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def cost(call: Callable[[], Any], runs: int) -> tuple[float, str]:
    """Milliseconds of all that `call` asks the database, and by which nodes it is found."""
    with heard() as statements:
        call()
    spent, nodes = [], ""
    for _ in range(runs + 1):
        plans = [_explained(*each) for each in statements]
        spent.append(sum(plan["Planning Time"] + plan["Execution Time"] for plan in plans))
        nodes = ", ".join(dict.fromkeys(node for plan in plans for node in _nodes(plan["Plan"])))
    return statistics.median(spent[1:]), nodes


def _explained(statement: str, parameters: Any) -> dict[str, Any]:
    rows = db.session.connection().exec_driver_sql(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters
    )
    (plan,) = rows.scalar_one()
    return dict(plan)


def _nodes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    elif plan["Node Type"] == "Seq Scan":
        yield "every row"
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def fill(rows: int) -> User:
    nobody = {"password_hash": "none"}
    people = [User(id=uuid7(), email=f"{name}@example.com", name=name, **nobody) for name in ("ada", "eve")]
    owner, other = people
    with writing() as session:
        session.add_all([owner, other])
        session.flush()
        session.execute(text(FILL), {"rows": rows, "owner": owner.id, "other": other.id})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE jobs"))
    return owner


def measure(owner: User, rows: int, runs: int) -> None:
    print(f"## Job lists, {rows:,} jobs\n\n| query | first page, ms | half-way, ms | found by |")
    print("| --- | --- | --- | --- |")
    spent: dict[str, float] = {}
    half = job_lists._cursor(db.session.scalars(select(Job.id).order_by(Job.id).offset(rows // 2).limit(1)).one())
    for query in QUERIES:
        wanted = job_lists.Wanted(terms=job_queries.read(query))
        first, nodes = cost(partial(job_lists.page, owner, wanted), runs)
        middle, _ = cost(partial(job_lists.page, owner, wanted, cursor=half), runs)
        spent[query] = max(first, middle)
        print(f"| `{query or 'everything'}` | {first:.2f} | {middle:.2f} | {nodes} |", flush=True)
    for call in (job_lists.counts, job_facets.recent, job_facets.causes):
        spent[call.__name__], nodes = cost(partial(call, owner), runs)
        print(f"| {call.__name__} | {spent[call.__name__]:.2f} | | {nodes} |", flush=True)
    print(table(goals(spent)))


def goals(spent: dict[str, float]) -> Iterator[Goal]:
    """Of milliseconds by query, of the dearer page of each."""
    worst = max(BY_STATE, key=lambda query: spent[query])
    for wanted, milliseconds, beside in (
        ("newest 50 of 1 million by owner and state, at any page: < 5 ms in SQL", spent[worst], f"`{worst}`"),
        ("overview counts: < 5 ms in SQL", spent["counts"], ""),
    ):
        yield Goal(wanted, f"{milliseconds:.1f} ms", beside, milliseconds < MOST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Supervisor(Path.cwd(), Path(folder) / "log", lambda line: None, longest_pause=0.2) as supervisor,
    ):
        app = create_app(defaults() | {"DATABASE_URL": ledger("postgresql", Path(folder), supervisor)})
        with app.app_context():
            upgrade()
            measure(fill(asked.rows), asked.rows, asked.runs)
            db.session.remove()
            db.engine.dispose()


if __name__ == "__main__":
    main()
