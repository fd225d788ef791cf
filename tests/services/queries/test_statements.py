"""What the parser says about a statement."""

from __future__ import annotations

import duckdb
import pytest

from webapi.services.queries import statements
from webapi.services.queries.sources import Refusal


def test_values_are_chosen_by_name_in_any_case() -> None:
    statement = statements.single("SELECT $A, $b")
    assert statements.chosen(statement, {"a": 1, "b": 2, "c": 3}) == {"A": 1, "b": 2}
    with pytest.raises(Refusal, match=r"^The statement uses \$b, which is no parameter\.$"):
        statements.chosen(statement, {"a": 1})


def test_words_in_literals_are_no_writing() -> None:
    with duckdb.connect() as database:
        statements.check(database, statements.single("SELECT 'COPY_QUERY_NODE' AS type, {'type': 'INSERT_QUERY_NODE'}"))
        with pytest.raises(Refusal):
            statements.check(database, statements.single("WITH a AS (COPY (SELECT 1) TO 'x') FROM a"))


def test_the_statement_that_runs_is_the_one_that_was_written() -> None:
    with duckdb.connect() as database:
        columns, running = statements.run(database, statements.single("SELECT 'é;' AS a, DATE '2026-01-01'; -- ;"), {})
        assert [kind for _, kind, _ in columns] == ["text", "date"]
        assert running.fetchall() == [("é;", "2026-01-01")]
