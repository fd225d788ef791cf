"""PostgreSQL as a source: a role that can do nothing but SELECT, a read-only transaction, and a server-side cursor."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import URL

from webapi.services.formats import Block, Column, Row, Type
from webapi.services.reports import postgres_blocks, postgres_texts
from webapi.services.reports.fetching import Failed, Unreachable, told

CONNECT, LOOK = 5, 15  # seconds
LONGEST = 25 * 60  # seconds of one command; a build has half an hour in all
# Classes of SQLSTATE that pass by themselves: connections, rollbacks, resources, and a server that is told to stop.
PASSING = ("08", "40", "53", "55P03", "57P")
NAME = "report"  # of the cursor
KINDS: dict[str, Type] = {
    "bool": "boolean", "int2": "integer", "int4": "integer", "int8": "integer", "oid": "integer",
    "float4": "number", "float8": "number", "numeric": "number",
    "date": "date", "timestamp": "datetime", "timestamptz": "datetime",
    "text": "text", "varchar": "text", "bpchar": "text", "name": "text",
}  # fmt: skip
FLOATS = {"float4", "float8"}
# PostgreSQL lets everybody call these, and all owners of reports have one role: they would reach each other's work. A
# second line that a clever spelling passes; the first is to revoke them, as docs/reports.md says.
MEDDLING = re.compile(
    r"\bpg_(terminate_backend|cancel_backend|advisory\w*|try_advisory\w*|logical_emit_message|export_snapshot|notify)\b",
    re.IGNORECASE,
)
# What the role, or one that it may become (a SELECT can call set_config('role', …)), could do besides reading.
POWERS = """
WITH roles AS (
    SELECT oid, rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
    FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') OR pg_has_role(current_user, oid, 'MEMBER')
), own AS (
    SELECT n.oid, n.nspname FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
)
SELECT 'is the superuser ' || quote_ident(rolname) FROM roles WHERE rolsuper
UNION ALL SELECT 'may change roles or databases, or pass row security, as ' || quote_ident(rolname) FROM roles
    WHERE rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
UNION ALL SELECT 'is a member of ' || rolname FROM roles
    WHERE rolname IN ('pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_signal_backend',
                      'pg_execute_server_program', 'pg_create_subscription', 'pg_maintain', 'pg_database_owner')
UNION ALL SELECT 'may write to ' || c.oid::regclass::text FROM pg_class c JOIN own ON own.oid = c.relnamespace, roles
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND (has_table_privilege(roles.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
         OR has_any_column_privilege(roles.oid, c.oid, 'INSERT, UPDATE'))
UNION ALL SELECT 'may advance ' || c.oid::regclass::text FROM pg_class c JOIN own ON own.oid = c.relnamespace, roles
    WHERE c.relkind = 'S' AND has_sequence_privilege(roles.oid, c.oid, 'USAGE, UPDATE')
UNION ALL SELECT 'may create in the schema ' || quote_ident(own.nspname) FROM own, roles
    WHERE has_schema_privilege(roles.oid, own.oid, 'CREATE')
UNION ALL SELECT 'may create schemas' FROM roles WHERE has_database_privilege(roles.oid, current_database(), 'CREATE')
UNION ALL SELECT 'may act as ' || pg_get_userbyid(p.proowner) || ' through ' || p.oid::regproc::text
    FROM pg_proc p JOIN own ON own.oid = p.pronamespace, roles
    WHERE (p.prosecdef OR p.proname LIKE 'dblink%') AND has_schema_privilege(roles.oid, own.oid, 'USAGE')
    AND has_function_privilege(roles.oid, p.oid, 'EXECUTE')
UNION ALL SELECT 'may call ' || p.oid::regproc::text FROM pg_proc p, roles
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(roles.oid, p.oid, 'EXECUTE')
    AND p.proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'lo_import', 'lo_export', 'pg_reload_conf')
LIMIT 1
"""


@contextmanager
def opened(url: URL, sql: str, values: Mapping[str, Any], timezone: str) -> Iterator[_Cursor]:
    """A cursor for the statement. Raises Unreachable, and Failed when the role may do more than read."""
    if named := MEDDLING.search(sql):
        raise Failed(f"{named[0]} is for administrators, and not for reports")
    with _connected(url) as connection:
        connection.execute(f"SET statement_timeout = '{LONGEST}s'")  # first: the role may have a short one
        check(connection)
        connection.execute("SELECT set_config('TimeZone', %s, false)", [timezone])
        connection.adapters.register_loader("json", TextLoader)
        connection.adapters.register_loader("jsonb", TextLoader)
        connection.commit()
        connection.read_only = True
        yield _Cursor(connection, sql, values)


def powers(url: URL) -> str | None:
    """What the role of a source may do besides reading, as the end of a sentence. Raises Unreachable and Failed.

    A database that does not say so in time is as good as away.
    """
    with _connected(url) as connection:
        try:
            connection.execute(f"SET statement_timeout = '{LOOK}s'")
            row = connection.execute(POWERS).fetchone()
        except psycopg.errors.QueryCanceled:
            raise Unreachable from None
        return str(row[0]) if row else None


def check(connection: psycopg.Connection[Any]) -> None:
    """Raise Failed when the connection's role may do more than read."""
    row = connection.execute(POWERS).fetchone()
    if row:
        raise Failed(f"the source's role {row[0]}; give REPORT_SOURCES one that may SELECT and nothing else")


@contextmanager
def _connected(url: URL) -> Iterator[psycopg.Connection[Any]]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(address, connect_timeout=CONNECT)
    except psycopg.OperationalError:
        raise Unreachable from None
    except psycopg.Error as error:
        raise _named(error) from None
    try:
        yield connection
    except psycopg.Error as error:
        raise _named(error) from None
    finally:
        connection.close()


class _Cursor:
    def __init__(self, connection: psycopg.Connection[Any], sql: str, values: Mapping[str, Any]) -> None:
        self._connection, self._sql, self._values = connection, sql, values
        self._cursor = connection.cursor(name=NAME)
        self._odd: list[bool] = []

    @property
    def gives_blocks(self) -> bool:
        return postgres_texts.readable(self._connection)

    def execute(self) -> None:
        # The server takes one statement with parameters bound to it; several would be a syntax error.
        try:
            self._cursor.execute(self._sql, dict(self._values))
        except psycopg.Error as error:
            raise _named(error) from None
        self._odd = [self._type_name(column.type_code) not in KINDS for column in self._cursor.description or ()]

    def blocks(self, tick: Callable[[], None]) -> Generator[Block, None, None]:
        converters = [
            postgres_texts.converter(self._connection, column, each.type_code, self._type_name(each.type_code))
            for column, each in zip(self.columns(), self._cursor.description or (), strict=True)
        ]
        try:
            yield from postgres_blocks.blocks(self._connection, NAME, converters, tick)
        except psycopg.Error as error:
            raise _named(error) from None

    def fetch(self, count: int) -> list[Row]:
        try:
            rows: list[Row] = self._cursor.fetchmany(count)
        except psycopg.Error as error:
            raise _named(error) from None
        if not any(self._odd):
            return rows
        return [tuple(told(each) if odd else each for odd, each in zip(self._odd, row, strict=True)) for row in rows]

    def names(self) -> list[str]:
        return [column.name for column in self._cursor.description or ()]

    def columns(self) -> list[Column]:
        found = [(each.name, self._type_name(each.type_code)) for each in self._cursor.description or ()]
        return [Column(name, KINDS.get(kind, "text"), kind in FLOATS) for name, kind in found]

    def cancel(self) -> None:
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=CONNECT)

    def _type_name(self, oid: int) -> str:
        found = self._connection.adapters.types.get(oid)
        return found.name if found and found.oid == oid else ""


def _named(error: psycopg.Error) -> Exception:
    """What passes by itself (a server that ends, a conflict with its replication), or what the statement is told."""
    state = error.sqlstate or ""
    gone = isinstance(error, psycopg.OperationalError) and not state
    if gone or state.startswith(PASSING):
        return Unreachable()
    return Failed(error.diag.message_primary or str(error))
