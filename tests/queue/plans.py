"""How the database goes about each statement that the product really sends, explained at the moment it is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from tests.queue.throng import TABLES
from webapi.extensions import db

PLANNED = ("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")
# What SQLite reads from end to end: a table, or an index of all of its rows.
SQLITE_SCAN = re.compile(rf"^SCAN ({'|'.join(TABLES)})\b(?: USING (?:COVERING )?INDEX (\w+))?")


@dataclass
class Plan:
    """One statement. `pages` are those of 8 KB that PostgreSQL looked at; it does not count them on SQLite."""

    statement: str
    lines: list[str]
    indexes: set[str]
    scans: set[str]
    pages: int = 0
    milliseconds: float = 0.0

    def __str__(self) -> str:
        return "\n".join([" ".join(self.statement.split()), *(f"    {line}" for line in self.lines)])


@dataclass
class Heard:
    """The statements of a block, each by its text: the dearest of its runs."""

    plans: dict[str, Plan] = field(default_factory=dict)

    def add(self, plan: Plan) -> None:
        before = self.plans.get(plan.statement)
        if before is None or plan.pages > before.pages:
            self.plans[plan.statement] = plan


@contextmanager
def heard() -> Iterator[Heard]:
    """Every statement that is sent within the block, explained with its own parameters in its own transaction."""
    found = Heard()
    explain = _on_sqlite if db.engine.dialect.name == "sqlite" else _on_postgresql

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().startswith(PLANNED):
            one = parameters[0] if many else parameters
            with_cursor = connection.connection.cursor()
            found.add(explain(with_cursor, statement, one))
            with_cursor.close()

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)


def _on_sqlite(cursor: Any, statement: str, parameters: Any) -> Plan:
    lines = [str(row[-1]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    partial = {index.name for table in db.metadata.tables.values() for index in table.indexes if _partial(index)}
    scans = set()
    for line in lines:
        whole = SQLITE_SCAN.match(line)
        if whole and whole[2] not in partial:
            scans.add(line)
    return Plan(statement, lines, set(re.findall(r"INDEX (\w+)", "\n".join(lines))), scans)


def _partial(index: Any) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


def _on_postgresql(cursor: Any, statement: str, parameters: Any) -> Plan:
    """It is run, and undone: so the pages are those that it reads, and not those that somebody expects."""
    cursor.execute("SAVEPOINT explained")
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}", parameters)
    (found,) = cursor.fetchone()
    cursor.execute("ROLLBACK TO explained")
    (top,) = json.loads(found) if isinstance(found, str) else found
    nodes = list(_nodes(top["Plan"]))
    indexes = {node["Index Name"] for node in nodes if "Index Name" in node}
    scans = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} & set(TABLES)
    pages = top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"]
    spent = top["Planning Time"] + top["Execution Time"]
    return Plan(statement, [_line(node) for node in nodes], indexes, scans, pages, spent)


def _nodes(plan: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    yield {**plan, "depth": depth}
    for child in plan.get("Plans", ()):
        yield from _nodes(child, depth + 1)


def _line(node: dict[str, Any]) -> str:
    names = ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter", "Recheck Cond")
    words = [str(node[name]) for name in names if name in node]
    pages = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    indent: str = "  " * node["depth"]
    return f"{indent}{' | '.join(words)} | rows {node['Actual Rows']:.0f}, pages {pages}"
