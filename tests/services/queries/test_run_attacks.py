"""What a statement may not do, each with its sentence, and the system untouched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.services.queries.conftest import LIMITS, Make, Run
from webapi.errors import Permanent
from webapi.services.queries.sources import Limits

ONLY_OWN = "A statement reads the files of its own tables and nothing else."
ONLY_SELECT = "Only a statement that reads can be run: SELECT, WITH, FROM, VALUES, DESCRIBE or SUMMARIZE."
SECRET = "sibling-secret"


@pytest.fixture
def sibling(tmp_path: Path) -> Path:
    path = tmp_path / "sibling"
    path.write_text(f"a,b\n{SECRET},1\n")
    return path


def refused(run: Run, sql: str, make: Make, limits: Limits = LIMITS) -> str:
    with pytest.raises(Permanent) as caught:
        run(sql, {"x": "people"}, people=make("name,age\nAnn,30\n"), limits=limits)
    assert caught.value.message.endswith(".")
    return caught.value.message


@pytest.mark.parametrize(
    "function", ["read_csv", "read_text", "read_blob", "glob", "sniff_csv", "read_json", "parquet_metadata"]
)
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "sibling", "relative", "/proc/self/environ", "/proc/self/fd/0", "up"]
)
def test_no_other_file_can_be_read(run: Run, make: Make, sibling: Path, function: str, target: str) -> None:
    path = {
        "sibling": str(sibling),
        "relative": f"../../{sibling.name}",
        "up": f"data-1.csv/../../../{sibling.name}",
    }.get(target, target)
    assert refused(run, f"FROM {function}('{path}')", make) == ONLY_OWN


@pytest.mark.parametrize(
    "sql",
    [
        "FROM '/etc/passwd'",
        "FROM '*'",
        "FROM glob('*')",
        "FROM read_csv(['data-1.csv', '/etc/passwd'])",
        "FROM read_text('file:///etc/passwd')",
        "FROM query('FROM read_text(''/etc/passwd'')')",
        "FROM query_table(['/etc/passwd'])",
        "FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''/etc/passwd'')'))",
        "FROM read_duckdb('/etc/passwd')",
    ],
)
def test_there_is_no_way_around(run: Run, make: Make, sql: str) -> None:
    message = refused(run, sql, make)
    assert message == ONLY_OWN or message.startswith("The query failed:")


@pytest.mark.parametrize(
    "sql",
    [
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH 'x.db'",
        "COPY people TO 'out.csv'",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "EXPORT DATABASE 'out'",
        "PRAGMA version",
        "SET threads = 1",
        "RESET threads",
        "USE memory",
        "CREATE TABLE x AS SELECT 1",
        "CREATE MACRO m() AS 1",
        "CREATE SECRET (TYPE http)",
        "INSERT INTO people VALUES (1)",
        "DELETE FROM people",
        "UPDATE people SET age = 1",
        "DROP VIEW people",
        "CALL enable_logging()",
        "CHECKPOINT",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "ROLLBACK",
        "EXPLAIN ANALYZE SELECT 1",
        "VACUUM",
        "ANALYZE",
        "DETACH memory",
        "WITH a AS (COPY (SELECT 1) TO 'spill/x.csv') FROM a",
        "WITH a AS (INSERT INTO people VALUES (1) RETURNING *) FROM a",
        "WITH a AS (DELETE FROM people RETURNING *) FROM a",
        "WITH a AS (UPDATE people SET age = 1 RETURNING *) FROM a",
        "select 1 as x, 'COPY_QUERY_NODE'; drop view people",
    ],
)
def test_only_reading_is_a_statement(run: Run, make: Make, sql: str) -> None:
    message = refused(run, sql, make)
    assert message in {ONLY_SELECT, "There are 2 statements: write one."}


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("", "There is no statement."),
        ("-- nothing", "There is no statement."),
        ("SELECT 1; SELECT 2", "There are 2 statements: write one."),
        ("SELECT 1) UNION (SELECT 2", "The query failed: syntax error at or near"),
        ("PIVOT people ON name", "This PIVOT finds its columns in the data"),
        ("SELECT getenv('PATH')", "The query failed: Scalar Function with name getenv does not exist"),
        ("FROM query('DROP VIEW people')", "The query failed: Expected a single SELECT statement"),
        ("FROM enable_logging(storage = 'file', storage_path = 'x')", "A statement cannot change settings."),
        ("FROM enable_profiling(save_location = 'x')", "A statement cannot change settings."),
        ("FROM request", "The query failed: Table with name request does not exist"),
        ("FROM statement", "The query failed: Table with name statement does not exist"),
        ("FROM arrow_scan(1, 2, 3)", "The query failed: No function matches"),
        ("FROM $x", "The query failed:"),
        ("SELECT $y", "The statement uses $y, which is no parameter."),
        ("SELECT ?", "The statement uses $1, which is no parameter."),
        ("SELECT $1", "The statement uses $1, which is no parameter."),
        ("SELECT nosuch FROM people", 'The query failed: Referenced column "nosuch" not found'),
        ("SELECT " + "(" * 2000 + "1" + ")" * 2000, "The query failed: Max expression depth limit of 1000 exceeded"),
        ("SELECT " + "[" * 900 + "1" + "]" * 900, "The statement is nested too deeply."),
        ("ＳＥＬＥＣＴ 1", "The query failed: syntax error"),
        ("SELECT 1\u037e DROP VIEW people", "The query failed: syntax error"),
    ],
)
def test_each_has_its_sentence(run: Run, make: Make, sql: str, sentence: str) -> None:
    assert refused(run, sql, make).startswith(sentence)


@pytest.mark.parametrize(
    ("sql", "needs"),
    [
        ("SELECT list(i) FROM range(10000000000) t(i)", "128 MB of memory that"),
        ("SELECT length(repeat('x', 1000000000))", "128 MB of memory that"),
        ("SELECT length(string_agg(repeat('x', 1000), '')) FROM range(10000000)", "128 MB of memory that"),
        ("SELECT * FROM range(50000000) t(i) ORDER BY hash(i)", "64 MB of memory on disk"),
    ],
)
def test_memory_ends(run: Run, make: Make, sql: str, needs: str) -> None:
    assert needs in refused(run, sql, make)


def test_a_string_that_no_machine_holds_is_refused(run: Run, make: Make) -> None:
    assert "Cannot create a string" in refused(run, "SELECT repeat('x', 10000000000)", make)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7",
    ],
)
def test_time_ends(run: Run, make: Make, sql: str) -> None:
    assert (
        refused(run, sql, make, replace(LIMITS, seconds=2))
        == "The query took longer than the 2 seconds that it may take."
    )


def test_a_row_too_long_for_a_frame_is_refused(run: Run, make: Make) -> None:
    message = refused(run, "SELECT repeat('x', 70000000)", make, replace(LIMITS, memory_bytes=512 << 20))
    assert message == "A row is larger than 64 MB."


def test_there_are_no_secrets_and_no_settings_to_see(run: Run) -> None:
    assert run("FROM duckdb_secrets()")[1] == []
    assert run("SELECT current_setting('lock_configuration'), current_setting('enable_external_access')")[1] == [
        (True, False)
    ]


def test_names_that_shadow_mean_the_nearest(run: Run, make: Make) -> None:
    people = make("name,age\nAnn,30\n")
    assert run("WITH people AS (SELECT 1 AS x) FROM people", people=people)[1] == [(1,)]
    assert run("FROM duckdb_views", duckdb_views=people)[1] == [("Ann", 30)]


@pytest.fixture
def heard() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_HEAD(self) -> None:
            self.do_GET()

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_network_is_out_of_reach(run: Run, make: Make, heard: tuple[int, list[str]]) -> None:
    port, asked = heard
    for sql in (f"FROM read_csv('http://127.0.0.1:{port}/x.csv')", f"FROM 'http://127.0.0.1:{port}/x.parquet'"):
        assert refused(run, sql, make) == ONLY_OWN
    refused(run, "FROM read_csv('s3://bucket/x.csv')", make)
    assert asked == []
