"""Many values as one parameter: a statement is the same for one row and for hundreds.

So SQLAlchemy compiles it once, and PostgreSQL plans it once. psycopg would also write each element of a list in
Python, which takes longer than the rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Dialect, Integer, Text, TypeDecorator, Uuid, bindparam, cast, column, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement, FromClause, FunctionElement
from sqlalchemy.types import NullType


class Listed(TypeDecorator[Sequence[Any]]):
    """A list of ids, integers or texts: the text of an array on PostgreSQL, of a JSON array on SQLite."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> str:
        if dialect.name == "sqlite":
            return json.dumps([each.hex if isinstance(each, UUID) else each for each in value or ()])
        return "{" + ",".join(_quoted(each) if isinstance(each, str) else str(each) for each in value or ()) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class among(FunctionElement[Any]):  # noqa: N801 - reads as the SQL it is
    """Whether an id is one of those in the parameter `name`.

    It is not typed as a truth value: SQLAlchemy would compare it with 1 on SQLite, which then reads the whole table.
    """

    type = NullType()
    inherit_cache = True

    def __init__(self, ids: ColumnElement[UUID], name: str) -> None:
        super().__init__(ids, bindparam(name, type_=Listed()))


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    ids, given = (compiler.process(each, **kw) for each in element.clauses)
    return f"{ids} IN (SELECT value FROM json_each({given}))"  # noqa: S608 # nosec B608 - names and a placeholder, no values


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    ids, given = (compiler.process(each, **kw) for each in element.clauses)
    return f"{ids} = ANY (CAST({given} AS UUID[]))"


@cache
def given(dialect: str) -> FromClause:
    """Rows of `id`, `attempt` and `document` from the parameters `ids`, `attempts` and `documents`."""
    ids, attempts, documents = (bindparam(name, type_=Listed()) for name in ("ids", "attempts", "documents"))
    if dialect == "postgresql":
        arrays = func.unnest(cast(ids, ARRAY(Uuid)), cast(attempts, ARRAY(Integer)), cast(documents, ARRAY(Text)))
        columns = (column("id", Uuid), column("attempt", Integer), column("document", Text))
        return arrays.table_valued(*columns, name="given").render_derived()
    each = func.json_each(ids).table_valued(column("value", Text), column("key", Integer))
    place = func.printf("$[%d]", each.c.key)
    parts = (func.json_extract(attempts, place).label("attempt"), func.json_extract(documents, place).label("document"))
    return select(each.c.value.label("id"), *parts).subquery("given")
