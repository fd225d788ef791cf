"""PostgreSQL as a source: what a role may do, and what a statement cannot."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from tests.services.reports.conftest import Run
from tests.waiting import until
from webapi.errors import Permanent, Transient
from webapi.services.reports import postgres
from webapi.services.reports.fetching import Unreachable


def test_a_row_has_the_types_of_its_columns(read: Run) -> None:
    columns, rows = read("SELECT * FROM orders WHERE id = :id", id=2)
    assert dict(columns) == {
        "id": "integer", "city": "text", "amount": "number", "paid": "boolean", "day": "date", "at": "datetime",
        "facts": "text", "tags": "text", "weight": "number",
    }  # fmt: skip
    moment = datetime(2026, 10, 1, 2, tzinfo=UTC)
    assert rows == [(2, "Bern", Decimal("2.25"), True, date(2026, 10, 3), moment, '{"a": 1.50}', '["x", "y"]', 2 / 3)]


def test_all_rows_come_in_their_order(read: Run) -> None:
    columns, rows = read("SELECT id, amount FROM orders ORDER BY id DESC")
    assert [name for name, _ in columns] == ["id", "amount"]
    assert [row[0] for row in rows] == list(range(3000, 0, -1))


def test_no_rows_have_columns_too(read: Run) -> None:
    assert read("SELECT id, city FROM orders WHERE false") == ([("id", "integer"), ("city", "text")], [])


def test_a_value_is_bound_and_never_a_part_of_the_statement(read: Run) -> None:
    attack = "Bern'; DROP TABLE orders; --"
    assert read("SELECT count(*) FROM orders WHERE city = :city", city=attack)[1] == [(0,)]
    assert read("SELECT count(*) FROM orders WHERE city = :city", city="Bern")[1] == [(3000,)]


def test_percent_signs_and_casts_are_the_statements_own(read: Run) -> None:
    assert read("SELECT '5%'::text, 7 % 4, 'a:b', '\\:x' WHERE 'Bern' LIKE '%er%'")[1] == [("5%", 3, "a:b", ":x")]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "SELECT 1; DELETE FROM orders",
        "COMMIT; DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
        "SELECT * FROM orders FOR UPDATE",
        "SELECT * INTO stolen FROM orders",
        "COPY orders TO '/tmp/x'",
        "COPY orders TO PROGRAM 'id'",
        "SET ROLE webapi",
        "SELECT set_config('role', 'webapi', false)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM pg_authid",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user",
        "DO $$ BEGIN DELETE FROM orders; END $$",
        "CREATE TEMP TABLE x AS SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM orders",
        "VACUUM",
        "LISTEN x",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user",
        "SELECT PG_Advisory_Lock(1)",
        "SELECT pg_logical_emit_message(false, 'a', 'b')",
        "SELEKT",
        "",
    ],
)
def test_nothing_but_reading_comes_through(read: Run, shop: psycopg.Connection[Any], sql: str) -> None:
    with pytest.raises(Permanent, match=r"^The statement failed: .*\.$"):
        read(sql)
    assert shop.execute("SELECT count(*) FROM orders").fetchone() == (3000,)
    assert shop.execute("SELECT to_regclass('stolen')").fetchone() == (None,)


def test_a_role_that_can_only_read_has_no_powers(reader: URL, shop: psycopg.Connection[Any]) -> None:
    assert postgres.powers(reader) is None


@pytest.mark.parametrize(
    ("grant", "named"),
    [
        ("GRANT INSERT ON orders TO {role}", "may write to orders"),
        ("GRANT UPDATE (city) ON orders TO {role}", "may write to orders"),
        ("GRANT TRUNCATE ON orders TO {role}", "may write to orders"),
        ("GRANT pg_write_all_data TO {role}", "pg_write_all_data"),
        ("GRANT pg_read_server_files TO {role}", "pg_read_server_files"),
        ("GRANT CREATE ON SCHEMA public TO {role}", "may create in the schema public"),
        ("CREATE SCHEMA theirs AUTHORIZATION {role}", "may create in the schema theirs"),
        ("ALTER ROLE {role} SUPERUSER", "is the superuser"),
        ("ALTER ROLE {role} CREATEROLE", "may change roles"),
        ("ALTER ROLE {role} BYPASSRLS", "row security"),
        ("GRANT webapi TO {role}", "is the superuser webapi"),
        ("CREATE SEQUENCE s; GRANT USAGE ON SEQUENCE s TO {role}", "may advance s"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", "may act as webapi through f"),
        ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {role}", "may call pg_catalog.pg_read_file"),
    ],
)
def test_a_role_that_may_do_more_is_refused(
    read: Run, shop: psycopg.Connection[Any], reader: URL, grant: str, named: str
) -> None:
    shop.execute(grant.format(role=f'"{shop.info.dbname}"'))
    assert named in (postgres.powers(reader) or "")
    with pytest.raises(Permanent, match="one that may SELECT and nothing else"):
        read("SELECT 1")
    shop.execute("DROP SCHEMA IF EXISTS theirs")


def test_a_role_that_only_plays_a_weaker_one_is_refused(shop: psycopg.Connection[Any], reader: URL) -> None:
    role, strong = shop.info.dbname, f"strong_{shop.info.dbname}"[:60]
    shop.execute(f"CREATE ROLE \"{strong}\" LOGIN PASSWORD 'secret'")
    shop.execute(f'GRANT "{role}" TO "{strong}"')
    shop.execute(f'GRANT INSERT ON orders TO "{strong}"')
    posing = reader.set(username=strong).update_query_dict({"options": f"-crole={role}"})
    assert "may write to orders" in (postgres.powers(posing) or "")
    shop.execute(f'REVOKE ALL ON orders FROM "{strong}"')
    shop.execute(f'DROP ROLE "{strong}"')


@pytest.mark.parametrize("state", ["57P01", "40001", "53300"])
def test_what_passes_by_itself_is_tried_again(read: Run, shop: psycopg.Connection[Any], state: str) -> None:
    """The server says so itself, in a function that raises it."""
    body = f"BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = '{state}'; END"
    shop.execute(f"CREATE FUNCTION gone() RETURNS int LANGUAGE plpgsql AS $${body}$$")
    with pytest.raises(Transient, match="cannot be reached"):
        read("SELECT gone()")


def test_what_a_server_lets_a_reader_write_is_never_committed(read: Run, shop: psycopg.Connection[Any]) -> None:
    with suppress(Permanent):  # servers before 16 let it pass in a read-only transaction
        read("SELECT lo_create(4711)")
    assert shop.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


def test_a_role_with_a_short_timeout_is_looked_at_all_the_same(
    read: Run, shop: psycopg.Connection[Any], reader: URL
) -> None:
    shop.execute(f"ALTER ROLE \"{shop.info.dbname}\" SET statement_timeout = '2ms'")

    def seen() -> bool:
        """Even a SET may take as long as that, once in a while."""
        with suppress(Unreachable, Permanent):
            return (postgres.powers(reader), read("SELECT 1")[1]) == (None, [(1,)])
        return False

    until(seen, what="the powers of a role with a short timeout")


def test_a_database_that_is_away_is_said_to_be(reader: URL) -> None:
    with pytest.raises(Unreachable):
        postgres.powers(reader.set(port=1))
