"""Whether a text is one expression over the columns of a row, and nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from webapi.errors import Permanent
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits

LONGEST = 2_000  # characters
DEEPEST = 400  # expressions within one another; how deep Python itself can read differs between its versions
LIMITS = Limits(memory_bytes=128 << 20, seconds=10.0, temp_bytes=0)
# What an expression is made of. Not SUBQUERY, WINDOW, STAR (`*`, COLUMNS(…)), PARAMETER and the like.
CLASSES = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "LAMBDA", "LAMBDA_REF", "OPERATOR", "TYPE",
}  # fmt: skip
# Rows are counted by one statement and written by another: a function that may answer each differently, or tells
# something of the database and not of the row, has no place here.
UNSTEADY = """
SELECT list(DISTINCT function_name) FROM duckdb_functions()
WHERE stability <> 'CONSISTENT' OR regexp_matches(macro_definition, '(now|random|today|current_\\w+)\\(')
"""
TREES = ", ".join(f"json_serialize_sql(${name}::VARCHAR)" for name in ("alone", "listed", "true"))
# Functions without brackets, unless the table has a column of that name.
BARE = {
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_user", "session_user",
    "user", "current_role", "current_catalog", "current_schema",
}  # fmt: skip
PARSE = f"SELECT {TREES}, ({UNSTEADY})"  # nosec B608 - constant


def within(expression: str) -> str:
    """The expression as statements hold it: what it comments out ends with its line."""
    return f"(\n{expression}\n)"


def check(expression: str, columns: Iterable[str] = ()) -> None:
    """Raise Permanent, with a sentence, unless the text is an expression alone: it is parsed and not run.

    It has to read as one in two kinds of brackets, so that it cannot close ours and open others. `columns` are the
    names that mean what they say, even `user`.
    """
    if len(expression) > LONGEST:
        raise Permanent(f"The filter is longer than {LONGEST:,} characters.")
    if not expression.isprintable() and not expression.replace("\n", " ").replace("\t", " ").isprintable():
        raise Permanent("The filter holds characters that cannot be seen.")
    texts = {"alone": within(expression), "listed": f"[\n{expression}\n]", "true": within("true")}
    try:
        alone, listed, true, unsteady = _parsed({name: f"SELECT 1 WHERE {text}" for name, text in texts.items()})
    except RecursionError:
        raise Permanent("The filter is nested too deeply.") from None
    for tree in (alone, listed):
        if tree["error"]:
            raise Permanent(f"The filter cannot be read: {_reason(tree)}")
        if _around(tree) != _around(true):
            raise Permanent("The filter is not one expression.")
    inside = listed["statements"][0]["node"]["where_clause"]
    if inside.get("function_name") != "list_value" or len(inside["arguments"]) != 1:
        raise Permanent("The filter is not one expression.")
    bare = BARE - {name.casefold() for name in columns}
    for node in _nodes(inside["arguments"][0]["expression"]):
        _check_node(node, {str(name) for name in unsteady}, bare)


def _parsed(texts: dict[str, str]) -> list[Any]:
    with query(PARSE, {}, texts, limits=LIMITS, folder=Path(tempfile.gettempdir())) as result:
        return [json.loads(text) for text in next(result.rows)]


def _reason(tree: dict[str, Any]) -> str:
    text = str(tree.get("error_message", "")).partition("\n")[0][:200].rstrip(" .!")
    return f"{text or 'this is no expression'}."


def _around(tree: dict[str, Any]) -> Any:
    """A parsed text without the expression: nothing may be different there."""
    return [
        (each["node"] | {"where_clause": bool(each["node"].get("where_clause"))}, each["named_param_map"])
        for each in tree["statements"]
    ]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every expression in it. Without recursion: the tree is as deep as the text. Raises Permanent beyond DEEPEST."""
    left = [(tree, 0)]
    while left:
        node, depth = left.pop()
        if isinstance(node, dict):
            if "class" in node or "node" in node:
                yield node
                depth += 1
            left.extend((each, depth) for each in node.values())
        elif isinstance(node, list):
            left.extend((each, depth) for each in node)
        if depth > DEEPEST:
            raise Permanent("The filter is nested too deeply.")


def _check_node(node: dict[str, Any], unsteady: set[str], bare: set[str]) -> None:
    kind = node.get("class")
    if kind not in CLASSES:
        what = {"SUBQUERY": "a SELECT", "WINDOW": "a window", "STAR": "*"}.get(str(kind), "this")
        raise Permanent(f"The filter looks at one row at a time: it cannot hold {what}.")
    path = node.get("column_names", [])
    name = str(node.get("function_name") or (path[0] if len(path) == 1 else ""))
    if name.casefold() in (bare if path else unsteady):
        raise Permanent(f"The filter cannot use {name}: it does not depend on the row alone. Write the value itself.")
