"""A report made of PostgreSQL's own texts is, byte for byte, the one that is made of Python's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import URL

from webapi.errors import Permanent
from webapi.services.formats import Format, Heading, Written, write
from webapi.services.reports.databases import fetched
from webapi.services.reports.postgres_blocks import MOST

HEADING = Heading("Odd", {}, datetime(2026, 11, 21, tzinfo=UTC))
Both = Callable[..., bytes]

ODD: dict[str, Sequence[str]] = {
    "text": (
        "NULL", "''", "'plain'", "'=1+1'", "'+1'", "'-1'", "'@a'", "'＝1'", "E'\\ufeff=1'", "E'\\t1'", "E'\\r'",
        "E'\\x01'", "'！'",
        "'a,b'", "'say \"no\"'", "E'two\\nlines'", "E'a\\r\\nb'", "' '", "'Ωμέγα 漢😀'", "E'x\\\\n'", "'''1'", "'x=1'",
        "E'\\u2028'", "repeat('long, \"text\" ', 20000)", "'\"'", "'\\N'", "'null'",
    ),
    "integer": ("NULL", "0", "-1", "2147483647", "-2147483648"),
    "bigint": (
        "NULL", "9223372036854775807", "9223372036854775807", "-9223372036854775808", "-9223372036854775808", "7",
    ),
    "numeric": (
        "NULL", "0", "0.00", "-1.50", "1e30", "1e45", "-1e-45", "0.0000001", "1e-300", "'NaN'", "'Infinity'",
        "'-Infinity'",
        "123456789012345678901234567890.123456789", "99999999999999999999", "999999999999999999", "0.10",
    ),
    "numeric(12,2)": ("NULL", "0", "-0.01", "1234567890.12", "0.50"),
    "double precision": (
        "NULL", "0", "-0.0", "3", "-3", "0.1", "1e15", "1e16", "1.234567890123456e15", "12345678901234.5", "1e-4",
        "1e-5",
        "1.5e-7", "1e300", "5e-324", "1.7976931348623157e308", "'NaN'", "'Infinity'", "'-Infinity'", "1.0/7",
        "0.1 + 0.2",
    ),
    "real": ("NULL", "0.1", "1234567", "1e20", "-3", "'NaN'", "1e-7"),
    "boolean": ("NULL", "true", "false"),
    "date": ("NULL", "'2026-02-28'", "'0001-01-01'", "'9999-12-31'"),
    "timestamp": (
        "NULL", "'2026-02-28 01:02:03'", "'2026-02-28 01:02:03.5'", "'0001-01-01'", "'9999-12-31 23:59:59.999999'",
        "'2026-02-28 01:02:03.000001'",
    ),
    "timestamptz": (
        "NULL", "'2026-02-28 01:02:03+00'", "'2026-07-01 01:02:03.5+00'", "'1800-01-01 12:00+00'",
        "'9990-12-31 23:59:59Z'",
        "'2026-02-28 01:02:03.123456+00'", "'2026-10-25 00:30:00Z'", "'2026-10-25 01:30:00Z'",
    ),
    "uuid": ("NULL", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
    "jsonb": ("NULL", "'{\"a\": 1.50, \"b\": [\"=x\"]}'", "'null'"),
    "text[]": ("NULL", "'{}'", "ARRAY['x', NULL, 'é']"),
    "bytea": ("NULL", "''", "'\\x00ff'"),
    "time": ("NULL", "'10:00'"),
    "interval": ("NULL", "'1 day 02:03:04.5'"),
    "oid": ("NULL", "4294967295"),
    "char(5)": ("NULL", "'ab'", "'=a'"),
    "tsvector": ("NULL", "''", "'a b'"),
    "inet": ("NULL", "'127.0.0.1/8'"),
}  # fmt: skip


@pytest.fixture
def both(place: Flask, reader: URL, tmp_path: Path) -> Both:
    """The file of a statement, which is the same both ways, and so is what is counted."""
    place.config["REPORT_SOURCES"] = {"shop": reader.render_as_string(hide_password=False)}

    def file(sql: str, kind: Format, zone: str, *, in_blocks: bool) -> tuple[bytes, Written]:
        path = tmp_path / f"file.{kind}"
        with fetched("shop", sql, {}, zone, lambda: None, in_blocks=in_blocks) as found:
            assert (found.blocks is not None) == in_blocks
            written = write(path, kind, HEADING, found.columns, found.rows, blocks=found.blocks)
        return path.read_bytes(), written

    def both(sql: str, zone: str = "UTC", kind: Format = "csv") -> bytes:
        content, written = file(sql, kind, zone, in_blocks=True)
        expected, counted = file(sql, kind, zone, in_blocks=False)
        assert content == expected
        assert repr(written) == repr(counted)
        return content

    return both


def values(kind: str, texts: Sequence[str]) -> str:
    rows = ", ".join(f"({number}, CAST({text} AS {kind}))" for number, text in enumerate(texts))
    return f"SELECT a, a AS again FROM (VALUES {rows}) v(n, a) ORDER BY n"


@pytest.mark.parametrize("kind", ODD)
def test_odd_values_are_the_same_together(both: Both, kind: str) -> None:
    both(values(kind, ODD[kind]))
    both(values(kind, ODD[kind]), kind="parquet")


@pytest.mark.parametrize("kind", ["text", "numeric", "double precision", "date", "timestamp", "timestamptz"])
def test_odd_values_are_the_same_alone(both: Both, kind: str) -> None:
    """Alone, so that none sends the others down the slower way."""
    for text in ODD[kind]:
        both(f"SELECT CAST({text} AS {kind}) AS a FROM generate_series(1, 2)")


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Asia/Kolkata", "America/New_York", "Pacific/Apia"])
def test_moments_are_those_of_the_zone(both: Both, zone: str) -> None:
    both(values("timestamptz", ODD["timestamptz"]), zone)
    both(values("timestamptz", ODD["timestamptz"]), zone, "parquet")


def test_many_rows_are_the_same_in_their_order(both: Both) -> None:
    sql = (
        "SELECT n, n / 7.0::double precision AS ratio, (n * 7919 % 1000) / 100.0 AS price, md5(n::text) AS word,"
        " n % 3 = 0 AS is, DATE '2024-01-01' + n AS day, TIMESTAMPTZ '2024-01-01Z' + n * interval '37.5 s' AS at,"
        f" CASE WHEN n % 1000 = 0 THEN '=1' END AS note FROM generate_series(1, {2 * MOST + 1}) n"
    )
    both(sql, kind="parquet")
    content = both(sql)
    assert content.count(b"\r\n") == 2 * MOST + 2
    assert content.count(b",'=1\r\n") == 2 * MOST // 1000


def test_no_rows_are_a_header(both: Both) -> None:
    assert both("SELECT 1 AS one, '' AS two WHERE false") == b"one,two\r\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DATE '0044-03-15 BC'", "SELECT DATE '12345-01-01'", "SELECT DATE 'infinity'",
        "SELECT TIMESTAMP '-infinity'",
        "SELECT TIMESTAMPTZ '12345-01-01 00:00:00.12345Z'", "SELECT TIMESTAMPTZ '0044-03-15 00:00:00.123Z BC'",
        "SELECT TIMESTAMP '12345-01-01 00:00:00.12345'", "SELECT 1 / (6000 - n) FROM generate_series(1, 6000) n",
        "DELETE FROM orders", "COMMIT", "SELECT 1; SELECT 2", "COPY orders TO STDOUT", "SET ROLE webapi",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("both")
def test_what_fails_says_the_same(sql: str) -> None:
    said = []
    for in_blocks in (True, False):
        running = fetched("shop", sql, {}, "UTC", lambda: None, in_blocks=in_blocks)
        with pytest.raises(Permanent) as raised, running as found:
            for _ in found.blocks if found.blocks is not None else found.rows:
                pass
        said.append(str(raised.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("setting", ["DateStyle = 'SQL, DMY'", "client_encoding = 'LATIN1'"])
def test_a_role_with_other_spellings_goes_by_rows(
    place: Flask, shop: psycopg.Connection[Any], reader: URL, setting: str
) -> None:
    place.config["REPORT_SOURCES"] = {"shop": reader.render_as_string(hide_password=False)}
    shop.execute(f'ALTER ROLE "{shop.info.dbname}" SET {setting}')
    with fetched("shop", "SELECT DATE '2026-02-01' AS day", {}, "UTC", lambda: None, in_blocks=True) as found:
        assert found.blocks is None
        assert [str(row[0]) for row in found.rows] == ["2026-02-01"]
