"""Statements over files: what comes back, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from tests.processes import python_children
from tests.services.queries.conftest import LIMITS, Make, Run
from tests.waiting import until
from webapi.errors import Permanent, Transient
from webapi.services.queries.run import query
from webapi.services.queries.sources import Source

VALUES = [
    ("NULL::INTEGER", "integer", None),
    ("170141183460469231731687303715884105727", "integer", 2**127 - 1),
    ("18446744073709551615::UBIGINT", "integer", 2**64 - 1),
    ("0.1::DOUBLE", "number", 0.1),
    ("'inf'::DOUBLE", "number", float("inf")),
    ("1.50::DECIMAL(4,2)", "number", Decimal("1.50")),
    (
        "12345678901234567890123456789012345.678::DECIMAL(38,3)",
        "number",
        Decimal("12345678901234567890123456789012345.678"),
    ),
    ("true", "boolean", True),
    ("DATE '2028-02-29'", "date", date(2028, 2, 29)),
    ("DATE 'infinity'", "date", "infinity"),
    ("DATE '0044-03-15 (BC)'", "date", "0044-03-15 (BC)"),
    ("TIMESTAMP '2026-01-31 12:30:00.000001'", "datetime", datetime(2026, 1, 31, 12, 30, 0, 1)),  # noqa: DTZ001
    ("TIMESTAMPTZ '2026-01-31 12:30:00+02'", "datetime", datetime(2026, 1, 31, 10, 30, tzinfo=UTC)),
    ("TIMESTAMP_NS '2026-01-31 12:30:00.123456789'", "text", "2026-01-31 12:30:00.123456789"),
    ("INTERVAL 1 MONTH", "text", "1 month"),
    ("TIME '12:30'", "text", "12:30:00"),
    ("chr(0) || '\"\\é🦆' || chr(10)", "text", '\0"\\é🦆\n'),
    ("'\\x00\\xFF'::BLOB", "text", "00FF"),
    ("{'a': [1, NULL], 'b': DATE '2026-01-01'}", "text", '{"a":[1,null],"b":"2026-01-01"}'),
    ("[12345678901234567890.12::DECIMAL(38,2)]", "text", "[12345678901234567890.12]"),
    ("MAP {'k': 1}", "text", '{"k":1}'),
    ("uuid '00000000-0000-0000-0000-00000000000a'", "text", "00000000-0000-0000-0000-00000000000a"),
]


@pytest.mark.parametrize("together", [False, True])
def test_every_value_survives_exactly(run: Run, together: bool) -> None:
    groups = [VALUES] if together else [[value] for value in VALUES[::4]]
    for group in groups:
        columns, rows, _ = run("SELECT " + ", ".join(sql for sql, _, _ in group))
        assert [kind for _, kind in columns] == [kind for _, kind, _ in group]
        assert rows == [tuple(value for _, _, value in group)]


def test_statements_that_read_run_with_a_semicolon_and_comments_behind(run: Run, make: Make) -> None:
    people = make("name,age\nAnn,30\nBob,41\n")
    for sql in ("FROM people", "SELECT * FROM people; -- x;", "WITH x AS (FROM people) FROM x /* ; */", "TABLE people"):
        assert run(sql, people=people)[1] == [("Ann", 30), ("Bob", 41)]
    assert run("DESCRIBE people", people=people)[1][0][:2] == ("name", "VARCHAR")
    assert run("SUMMARIZE people", people=people)[1][1][:4] == ("age", "BIGINT", "30", "41")
    assert run("VALUES (';')")[1] == [(";",)]
    assert run("PIVOT people ON name IN ('Ann', 'Bob') USING sum(age)", people=people)[1] == [(30, 41)]


def test_order_survives_the_conversion_of_columns(run: Run) -> None:
    rows = run("SELECT i, DATE '2000-01-01' + i::INT AS d FROM range(20000) t(i) ORDER BY i DESC")[1]
    assert [row[0] for row in rows] == list(range(19_999, -1, -1))


def test_files_are_joined_under_any_name(run: Run, make: Make) -> None:
    left, right = make("id;preis\n1;3,50\n", name="1"), make('{"id": 1, "tags": ["a"]}\n', "ndjson", name="2")
    rows = run(
        'SELECT preis, tags FROM "a; DROP""x" JOIN "übel $x" USING (id)', **{'a; DROP"x': left, "übel $x": right}
    )[1]
    assert rows == [(3.5, '["a"]')]


@pytest.mark.parametrize("text", ["a'b", '"', "$1; DROP TABLE x", "\0", "é\U0001f986\u202e", "", "' OR 1=1 --"])
def test_a_parameter_is_a_value_and_nothing_else(run: Run, text: str) -> None:
    assert run("SELECT $x, length($X)", {"x": text, "unused": 1})[1] == [(text, len(text))]


def test_parameters_keep_their_types(run: Run, make: Make) -> None:
    values = {"a": 2**70, "b": Decimal("1.50"), "c": date(2026, 1, 1)}
    kinds = run("SELECT typeof($a), typeof($b), typeof($c), $c + 1", values)[1]
    assert kinds == [("HUGEINT", "DECIMAL(3,2)", "DATE", date(2026, 1, 2))]
    assert run("FROM people WHERE age > $least", {"least": 35}, people=make("name,age\nAnn,30\nBob,41\n"))[1] == [
        ("Bob", 41)
    ]


def test_null_can_be_a_parameter(run: Run) -> None:
    assert run("SELECT $x IS NULL", {"x": None})[1] == [(True,)]


def test_the_limit_of_rows_is_told(run: Run) -> None:
    few = replace(LIMITS, rows=1000)
    _, rows, why = run("FROM range(1001)", limits=few)
    assert (len(rows), why) == (1000, "Only the first 1,000 rows are here: a query may have no more.")
    assert run("FROM range(1000)", limits=few)[2] is None


def test_a_file_that_is_away_is_told(run: Run, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"^people: the file is not there\.$"):
        run("FROM people", people=Source(tmp_path / "none", "csv"))


def test_rows_may_be_left_halfway(folder: Path) -> None:
    with query("FROM range(100000000)", {}, {}, limits=replace(LIMITS, rows=10**9), folder=folder) as result:
        assert next(result.rows) == (0,)
        child = python_children()[-1]
    assert not child.is_running()


def test_an_error_in_the_block_ends_the_child(folder: Path) -> None:
    with pytest.raises(KeyError), query("FROM range(10000000)", {}, {}, limits=LIMITS, folder=folder):
        raise KeyError("ours")


def test_a_consumer_may_take_longer_than_the_query(folder: Path) -> None:
    with query("FROM range(300000)", {}, {}, limits=replace(LIMITS, seconds=3), folder=folder) as result:
        rows = result.rows
        next(rows)
        assert threading.Event().wait(3.5) is False
        assert sum(1 for _ in rows) == 299_999


def test_a_killed_child_is_told(folder: Path) -> None:
    with query("FROM range(100000000)", {}, {}, limits=replace(LIMITS, rows=10**9), folder=folder) as result:
        next(result.rows)
        child = python_children()[-1]
        child.send_signal(signal.SIGKILL)
        with pytest.raises(Transient, match="was killed, most likely because the machine ran out of memory"):
            list(result.rows)


PARENT = """
import sys
from pathlib import Path
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits
sql = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range = 7"
with query(sql, {}, {}, limits=Limits(seconds=600), folder=Path(sys.argv[1])) as result:
    pass
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=Path(__file__).parents[3]) as process:
        yield process
        process.kill()


def test_the_child_dies_with_a_parent_that_is_killed(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    def working() -> psutil.Process | None:
        children: list[psutil.Process] = psutil.Process(parent.pid).children()
        return next((each for each in children if each.cpu_times().user > 0.5), None)

    child = until(working, seconds=60, what="a child that works")
    os.kill(parent.pid, signal.SIGKILL)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, what="the child's end")
    assert [path.name[:6] for path in tmp_path.iterdir()] == ["query-"], "scratch lies where its owner clears it"


def test_the_child_knows_nothing_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s" * 40)
    with query("FROM range(100000000)", {}, {}, limits=replace(LIMITS, rows=10**9), folder=folder) as result:
        next(result.rows)
        child = python_children()[-1]
        assert child.environ().keys() <= {"LANG", "TZ", "MALLOC_ARENA_MAX", "LC_CTYPE"}
        assert os.getpgid(child.pid) == child.pid
        assert not [file.path for file in child.open_files() if not file.path.startswith(str(folder))]


def peak(rows: int, folder: Path) -> int:
    """By how many bytes this process grew at most, looked at every 5,000 rows."""
    process, most, start = psutil.Process(), 0, 0
    sql = f"SELECT i, 'name ' || i AS s, i / 3 AS f, DATE '2000-01-01' + (i % 9999)::INT AS d FROM range({rows}) t(i)"
    count = 0
    with query(sql, {}, {}, limits=replace(LIMITS, rows=rows, seconds=300), folder=folder) as result:
        for count, _ in enumerate(result.rows, 1):
            if count % 5000 == 0:
                now = process.memory_info().rss
                start = start or now
                most = max(most, now)
    assert (count, result.truncated) == (rows, None)
    return most - start


def test_200000_rows_stream_through_a_few_megabytes(folder: Path) -> None:
    assert peak(200_000, folder) < 16 << 20


@pytest.mark.soak
def test_5000000_rows_stream_through_a_few_megabytes(folder: Path) -> None:
    assert peak(5_000_000, folder) < 16 << 20


def test_a_value_of_no_known_type_is_our_mistake(run: Run) -> None:
    for value in ([1], True, 1.5):
        with pytest.raises(TypeError):
            run("SELECT $x", {"x": value})


def test_the_process_that_asks_does_not_load_the_database() -> None:
    names = ("parameters", "run", "sources", "periods")
    text = "\n".join(f"import webapi.services.queries.{name}" for name in names)
    command = [sys.executable, "-c", text + "\nimport sys; print('duckdb' in sys.modules)"]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
