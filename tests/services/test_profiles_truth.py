"""A profile is exact or says that it is not, and what cannot be read is told without a word about this machine."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.queue.rows import OWNER, accept, job
from webapi.models import Job
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import storage
from webapi.services.profiles import _database, profile_values
from webapi.tasks.data_process import Data


def process(name: str, content: bytes) -> Job:
    """The finished job of a file."""
    kept = storage.receive(OWNER, name, "text/plain", BytesIO(content))
    job_id = accept("data.process", Data(file=kept.id))
    work(kind_named("data.process"))
    return job(job_id)


def column(data: Any) -> dict[str, Any]:
    (found,) = profile_values(data)["columns"]
    return dict(found)


def test_the_numbers_of_a_column_are_right() -> None:
    found = column([{"x": value} for value in (4, 1, None, 3, 2)])
    assert (found["type"], found["nulls"], found["distinct"], found["min"], found["max"]) == ("BIGINT", 1, 4, "1", "4")
    assert found["avg"] == 2.5
    assert found["std"] == pytest.approx(1.2909944487)


def test_one_gap_among_many_rows_is_counted() -> None:
    assert column([{"x": None if number == 7 else number} for number in range(30_000)])["nulls"] == 1


def test_distinct_values_are_counted_and_not_estimated() -> None:
    assert column([{"x": number} for number in range(1000)])["distinct"] == 1000


def test_the_median_of_four_values_is_between_the_two_in_the_middle() -> None:
    assert column([{"x": value} for value in (4, 1, 3, 2)])["q50"] == 2.5


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ([{"a": 1}, {"b": 2}], ["a", "b"]),
        ([{'a"b': 1, "SELECT": 2, "c; DROP TABLE data": 3}], ['a"b', "SELECT", "c; DROP TABLE data"]),
        ([[1, 2], [3]], ["value"]),
        ("text", ["value"]),
    ],
)
def test_any_shape_of_data_has_its_columns(data: Any, names: list[str]) -> None:
    assert [each["name"] for each in profile_values(data)["columns"]] == names


def test_a_whole_profile_is_json() -> None:
    profile = profile_values([{"d": "2024-01-01", "b": True, "n": {"x": [1]}, "t": "a"}])
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("content", [b"x\n1.5\nnan\n2.5\n", b"x\n1.5\ninf\n2.5\n", b"x\n1e308\n1e308\n1e308\n"])
def test_a_column_without_an_average_is_profiled_all_the_same(content: bytes) -> None:
    done = process("a.csv", content)
    assert (done.state, (done.result or {})["columns"][0]["avg"]) == ("succeeded", None)


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("content", [b"", b"a,b\n"])
def test_a_file_without_rows_has_none(content: bytes) -> None:
    done = process("a.csv", content)
    assert (done.state, (done.result or {})["rows"]) == ("succeeded", 0)


TOLD_BY_US_OR_BY_LINE = [
    ("a.csv", "a,b\n1,2\n".encode("utf-16")),
    ("a.csv", "a\nZürich\n".encode("latin-1")),
    ("a.xlsx", b"PK\x03\x04"),
    ("a", b"a,b\n"),
]
TOLD_BY_FILE = [
    ("a.json", b'[{"a":1},{"a":'),
    ("a.ndjson", b'{"a":1}\n{"a":\n'),
    ("a.csv", bytes(range(256)) * 20),
    ("a.parquet", b"PAR1xxxxPAR1"),
]
BROKEN = TOLD_BY_US_OR_BY_LINE + TOLD_BY_FILE


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_what_cannot_be_read_is_said_once_and_not_tried_again(name: str, content: bytes) -> None:
    done = process(name, content)
    assert (done.state, done.attempt, done.error_code) == ("failed", 1, "permanent")
    assert (done.error_public or "").startswith(name)


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_no_sentence_tells_where_a_file_lies(name: str, content: bytes) -> None:
    assert "objects/" not in (process(name, content).error_public or "")


FORBIDDEN = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '/tmp/written.csv'",
    "ATTACH '/tmp/other.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SELECT * FROM read_csv('https://example.com/x.csv')",
    "SET enable_external_access = true",
    "SET allowed_paths = ['/etc/passwd']",
    "SET memory_limit = '100GB'",
    "RESET lock_configuration",
    "PRAGMA enable_profiling = 'json'",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_the_database_of_a_profile_reaches_one_file_and_nothing_else(sql: str, tmp_path: Path) -> None:
    """Nobody's SQL runs there. Should a file ever bring some along, it finds the door shut."""
    with _database(tmp_path / "data.csv") as database, pytest.raises(duckdb.Error):
        database.execute(sql).fetchall()
