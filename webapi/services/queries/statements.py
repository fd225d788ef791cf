"""In the child: whether a text is one SELECT, what it is to be given, and how each of its columns travels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection, Statement

from .sources import Refusal

ONLY_SELECT = "Only a statement that reads can be run: SELECT, WITH, FROM, VALUES, DESCRIBE or SUMMARIZE."
WRITES = {"INSERT_QUERY_NODE", "UPDATE_QUERY_NODE", "DELETE_QUERY_NODE", "COPY_QUERY_NODE", "MERGE_QUERY_NODE"}
KINDS = (
    (re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"), "integer", "{}"),
    (re.compile(r"DOUBLE|FLOAT"), "number", "{}"),
    (re.compile(r"DECIMAL\(\d+,\d+\)"), "number", "{}::VARCHAR"),
    (re.compile(r"BOOLEAN"), "boolean", "{}"),
    (re.compile(r"DATE"), "date", "{}::VARCHAR"),
    # Not TIMESTAMP_NS: Python's datetime has no nanoseconds.
    (re.compile(r"TIMESTAMP(_S|_MS| WITH TIME ZONE)?"), "datetime", "{}::VARCHAR"),
    (re.compile(r"VARCHAR"), "text", "{}"),
    (re.compile(r"BLOB"), "text", "hex({})"),
    (re.compile(r"(STRUCT|MAP|UNION)\(.*|.*\[\d*\]|JSON|VARIANT", re.DOTALL), "text", "to_json({})::VARCHAR"),
)
TOO_DEEP = "The statement is nested too deeply."
DEEPEST = 1_000  # objects and lists within one another; how deep Python itself can read differs between its versions


def single(sql: str) -> Statement:
    """The one statement that reads in a text. Refusal when there is another number or kind."""
    found = duckdb.extract_statements(sql)
    if not found:
        raise Refusal("There is no statement.")
    if len(found) > 1 and found[0].type != duckdb.StatementType.MULTI:
        raise Refusal(f"There are {len(found)} statements: write one.")
    if len(found) > 1 or found[0].type == duckdb.StatementType.MULTI:
        raise Refusal("This PIVOT finds its columns in the data: name them, as in PIVOT … ON column IN (…).")
    if found[0].type != duckdb.StatementType.SELECT:
        raise Refusal(ONLY_SELECT)
    return found[0]


def check(database: DuckDBPyConnection, statement: Statement) -> None:
    """Refuse a WITH that inserts, copies and the like: for the parser that is a SELECT too."""
    if any(node.get("type") in WRITES for node in _nodes(_tree(database, statement))):
        raise Refusal(ONLY_SELECT)


def names(statement: Statement) -> dict[str, list[str]]:
    """The parameters and the tables that a statement names. A table that is called like a WITH of it is left out."""
    with duckdb.connect() as database:
        nodes = list(_nodes(_tree(database, statement)))
    tables = {node["table_name"] for node in nodes if node.get("type") == "BASE_TABLE"}
    own = {each["key"].casefold() for node in nodes for each in node.get("cte_map", {}).get("map", ())}
    return {
        "parameters": sorted(statement.named_parameters),
        "tables": sorted(name for name in tables if name.casefold() not in own),
    }


def _tree(database: DuckDBPyConnection, statement: Statement) -> Any:
    """The parsed statement as JSON has it. Refusal for what DuckDB does not count among the SELECTs."""
    row = database.execute("SELECT json_serialize_sql(?::VARCHAR)", [statement.query]).fetchone()
    try:
        tree = json.loads(row[0] if row else "")
    except RecursionError:
        raise Refusal(TOO_DEEP) from None
    if tree["error"]:
        raise Refusal(ONLY_SELECT)
    return tree


def chosen(statement: Statement, values: dict[str, Any]) -> dict[str, Any]:
    """Of the values those that the statement names. Refusal when it names another."""
    known = {name.casefold(): value for name, value in values.items()}
    missing = sorted(name for name in statement.named_parameters if name.casefold() not in known)
    if missing:
        raise Refusal(f"The statement uses ${missing[0]}, which is no parameter.")
    return {name: known[name.casefold()] for name in statement.named_parameters}


def run(
    database: DuckDBPyConnection, statement: Statement, values: dict[str, Any], *, texts: bool = False
) -> tuple[list[tuple[str, str, str]], DuckDBPyConnection]:
    """The columns (name, type, DuckDB's type) and the running statement, whose values survive JSON exactly.

    With `texts`, all values are texts; those of floats are Python's.
    """
    text = _without_end(statement.query)
    described = database.execute(f"SELECT * FROM (\n{text}\n) LIMIT 0", values).description  # noqa: S608 # nosec B608 - one SELECT, in a locked database
    columns = [(str(name), *_kind(str(kind)), str(kind)) for name, kind, *_ in described]
    shown = [(name, kind, real) for name, kind, _, real in columns]
    if texts:
        columns = [(name, kind, _as_text(kind, form), real) for name, kind, form, real in columns]
    if all(form == "{}" for _, _, form, _ in columns):
        return shown, database.execute(text, values)
    selected = ", ".join(form.format(f"#{index}") for index, (_, _, form, _) in enumerate(columns, 1))
    return shown, database.execute(f"SELECT {selected} FROM (\n{text}\n)", values)  # noqa: S608 # nosec B608 - as above


def _as_text(kind: str, form: str) -> str:
    if form != "{}":
        return form
    return "{}::DOUBLE::VARCHAR" if kind == "number" else "{}::VARCHAR"  # a FLOAT is a double in Python


def _without_end(text: str) -> str:
    """A single statement without its semicolon and what stands behind it."""
    raw = text.encode()  # the tokenizer counts bytes
    ends = (at for at, _ in duckdb.tokenize(text) if raw[at : at + 1] == b";")
    return raw[: next(ends, len(raw))].decode()


def _kind(kind: str) -> tuple[str, str]:
    found = ((name, form) for pattern, name, form in KINDS if pattern.fullmatch(kind))
    return next(found, ("text", "{}::VARCHAR"))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects of a tree, without recursion: it is as deep as the statement. Refusal beyond DEEPEST."""
    left = [(tree, 1)]
    while left:
        node, depth = left.pop()
        if depth > DEEPEST:
            raise Refusal(TOO_DEEP)
        if isinstance(node, dict):
            yield node
            left.extend(_inner(node.values(), depth + 1))
        elif isinstance(node, list):
            left.extend(_inner(node, depth + 1))


def _inner(nodes: Iterable[Any], depth: int) -> list[tuple[Any, int]]:
    return [(node, depth) for node in nodes if isinstance(node, dict | list)]
