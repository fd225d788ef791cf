"""Our own statements over a payload's values, without a child: the same answers, and nothing else can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.queries.conftest import Make, Run
from webapi.errors import Permanent
from webapi.services.queries.nearby import query_nearby
from webapi.services.queries.sources import Source

VALUES = '{"a": 1, "b": "x", "c": 1.5, "d": "2026-01-31"}\n{"a": 99999999999999999999, "b": null, "c": -2}\n'


def test_it_answers_as_the_child_does(make: Make, run: Run) -> None:
    source = make(VALUES, "ndjson")
    sql = "SELECT *, c::DECIMAL(9, 2) AS e, [a] AS f FROM data ORDER BY c"
    with query_nearby(sql, "data", source) as near:
        assert (near.columns, list(near.rows), near.truncated) == run(sql, data=source)


def test_no_other_file_can_be_read(make: Make, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("secret\n1\n")
    reading = f"SELECT * FROM read_csv('{tmp_path / 'other.csv'}')"
    with pytest.raises(Permanent), query_nearby(reading, "data", make(VALUES, "ndjson")) as near:
        list(near.rows)


def test_what_is_no_json_is_said(tmp_path: Path) -> None:
    path = tmp_path / "data.ndjson"
    path.write_text('{"a": 1}\n{"a": \n')
    with (
        pytest.raises(Permanent, match=r"^data could not be read: "),
        query_nearby("FROM data", "data", Source(path, "ndjson")),
    ):
        pass
