"""A report made of DuckDB's own texts is, byte for byte, the one that is made of Python's values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from webapi.errors import Permanent
from webapi.services.formats import Column, Format, Heading, Written, write
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits
from webapi.services.reports.data_texts import blocks, columns_of

HEADING = Heading("Odd", {}, datetime(2026, 11, 21, tzinfo=UTC))
Both = Callable[..., bytes]

ODD = {
    "VARCHAR": "NULL, '', '=1', '-1', 'a,b', '\"', 'x' || chr(10), chr(0), 'a' || chr(0) || '=b', '漢😀', '＝', "
    "repeat('x', 9999)",
    "INTEGER": "NULL, 0, -1, 2147483647",
    "HUGEINT": "NULL, 170141183460469231731687303715884105727, -5",
    "DECIMAL(38, 20)": "NULL, 0, -1.5, 123456789012345678.00000000000000000001",
    "DOUBLE": "NULL, 0, -0.0, 3, 0.1, 1e15, 1e16, 1.234567890123456e15, 1e-4, 1e-5, 1.5e-7, 1e300, 5e-324, "
    "'nan', 'inf', '-inf'",
    "FLOAT": "NULL, 0.1, 16777216, 1e20, -3, 'nan'",
    "BOOLEAN": "NULL, true, false",
    "DATE": "NULL, '2026-02-28', '0001-01-01', '9999-12-31'",
    "TIMESTAMP": "NULL, '2026-02-28 01:02:03', '2026-02-28 01:02:03.5', '9999-12-31 23:59:59.999999', '0001-01-01'",
    "TIMESTAMP_S": "NULL, '2026-02-28 01:02:03'",
    "TIMESTAMPTZ": "NULL, '2026-02-28 01:02:03+00', '2026-07-01 01:02:03.25+00', '1800-01-01 12:00+00', "
    "'9990-12-31 23:59:59Z'",
    "TIME": "NULL, '10:00'",
    "BLOB": "NULL, 'a'",
    "INTEGER[]": "NULL, [1, NULL]",
    "UUID": "NULL, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
}


@pytest.fixture
def both(tmp_path: Path) -> Both:
    """The file of a statement, which is the same both ways, and so is what is counted."""

    def file(sql: str, kind: Format, zone: str, most: int, *, texts: bool) -> tuple[bytes, Written]:
        path = tmp_path / f"file.{kind}"
        with query(sql, {}, {}, limits=Limits(rows=most), folder=tmp_path, timezone=zone, texts=texts) as result:
            columns = columns_of(result)
            assert (result.blocks is not None) == texts
            found = blocks(columns, result.blocks) if result.blocks else None
            written = write(
                path, kind, HEADING, columns, result.rows, blocks=found, incomplete=lambda: result.truncated
            )
        return path.read_bytes(), written

    def both(sql: str, zone: str = "UTC", kind: Format = "csv", most: int = 1_000_000) -> bytes:
        content, written = file(sql, kind, zone, most, texts=True)
        expected, counted = file(sql, kind, zone, most, texts=False)
        assert content == expected
        assert repr(written) == repr(counted)
        return content

    return both


def test_odd_values_of_every_kind_are_the_same(both: Both) -> None:
    columns = ", ".join(f'list_extract(CAST([{ODD[kind]}] AS {kind}[]), i) AS "{kind}"' for kind in ODD)
    sql = f"SELECT {columns} FROM range(1, 20) r(i)"
    assert both(sql).count(b"\r\n") >= 20
    both(sql, "Asia/Kolkata")
    both(sql, "Europe/Zurich", "parquet")


def test_doubles_are_pythons(both: Both) -> None:
    both(
        "SELECT (hash(i) / 1e19 - 0.5) * pow(10, i % 40 - 20) AS a, 1e15 + i / 8 AS b, i / 7 AS c"
        " FROM range(20000) r(i)"
    )


@pytest.mark.parametrize("most", [4999, 5000, 5001])
def test_as_many_rows_as_there_may_be(both: Both, most: int) -> None:
    assert both("SELECT i, 'x' || i AS t FROM range(5000) r(i)", most=most).count(b"\r\n") == min(most, 5000) + 1


@pytest.mark.parametrize(
    "value", ["DATE '0044-03-15 (BC)'", "DATE 'infinity'", "TIMESTAMP '12345-01-01 00:00:00.12345'"]
)
def test_a_date_that_python_does_not_know_is_an_error_both_ways(both: Both, value: str) -> None:
    with pytest.raises(ValueError, match="cannot hold all of: str"):
        both(f"SELECT {value} AS a")


def test_no_rows_are_a_header(both: Both) -> None:
    assert both("SELECT 1 AS one WHERE false") == b"one\r\n"


@pytest.mark.parametrize(
    ("kind", "text"), [("integer", b"=1"), ("number", b"1,2"), ("boolean", b"=t"), ("date", b"=HYPERLINK")]
)
def test_what_a_child_that_was_taken_over_sends_does_not_get_through(kind: str, text: bytes) -> None:
    with pytest.raises((Permanent, ValueError)):
        list(blocks([Column("a", kind)], [[[text]]]))  # type: ignore[arg-type]
