"""Column types and SQL clocks that mean the same on SQLite and PostgreSQL.

There is one clock, the database's: `now()` and `after(seconds)` are evaluated by the server, at the
moment the statement runs and not when its transaction began.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, Float, ScalarSelect, TypeDecorator, select
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement, FunctionElement, literal
from sqlalchemy.types import TypeEngine

# SQLite before 3.42 answers NULL to unixepoch('subsec'); the Julian day is right to the millisecond everywhere. It is
# rounded to that, so that a moment that Python has read and hands back equals the one that is stored.
SQLITE_NOW = "round((julianday('now') - 2440587.5) * 86400.0, 3)"


class Moment(TypeDecorator[datetime]):
    """An instant in UTC: `timestamptz` on PostgreSQL, seconds since 1970 on SQLite."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Float(53) if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.timestamp() if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)


# For lists that are searched. JSONB sorts names and rewrites numbers, which a document must not suffer.
Json = JSON().with_variant(JSONB(), "postgresql")
Document = JSON()  # for what comes back to the letter: payloads and results


class now(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock."""

    type = Moment()
    inherit_cache = True


class after(FunctionElement[datetime]):  # noqa: N801
    """The database's clock plus a number of seconds, which may be a column or an expression."""

    type = Moment()
    inherit_cache = True

    def __init__(self, seconds: float | ColumnElement[float]) -> None:
        super().__init__(literal(seconds, Float(53)) if isinstance(seconds, int | float) else seconds)


class ticks(FunctionElement[int]):  # noqa: N801
    """The database's clock in whole microseconds since 1970."""

    type = BigInteger()
    inherit_cache = True


class later(FunctionElement[datetime]):  # noqa: N801
    """A moment in the database plus a number of seconds; on SQLite to the microsecond and not to the millisecond."""

    type = Moment()
    inherit_cache = True

    def __init__(self, moment: ColumnElement[Any], seconds: float) -> None:
        super().__init__(moment, literal(seconds, Float(53)))


def read_once(moment: FunctionElement[datetime]) -> ScalarSelect[datetime]:
    """`now()` or `after(seconds)`, read once for a statement. A condition with it can use an index.

    PostgreSQL's clock moves within a statement, so that a condition with the bare clock is asked of each row anew.
    """
    return select(moment).scalar_subquery()


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    return SQLITE_NOW


@compiles(now, "postgresql")
def _now_postgresql(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    return "clock_timestamp()"


@compiles(after, "sqlite")
def _after_sqlite(element: after, compiler: SQLCompiler, **kw: Any) -> str:
    return f"round({SQLITE_NOW} + {compiler.process(element.clauses, **kw)}, 3)"


@compiles(after, "postgresql")
def _after_postgresql(element: after, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(ticks, "sqlite")
def _ticks_sqlite(element: ticks, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({SQLITE_NOW} * 1000000 AS INTEGER)"


@compiles(ticks, "postgresql")
def _ticks_postgresql(element: ticks, compiler: SQLCompiler, **kw: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(later, "sqlite")
def _later_sqlite(element: later, compiler: SQLCompiler, **kw: Any) -> str:
    moment, seconds = (compiler.process(each, **kw) for each in element.clauses)
    return f"({moment} + {seconds})"


@compiles(later, "postgresql")
def _later_postgresql(element: later, compiler: SQLCompiler, **kw: Any) -> str:
    moment, seconds = (compiler.process(each, **kw) for each in element.clauses)
    return f"({moment} + make_interval(secs => {seconds}))"
