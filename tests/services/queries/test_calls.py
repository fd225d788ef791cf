"""Names, texts and calls are quoted."""

from __future__ import annotations

from pathlib import Path

import duckdb

from webapi.services.queries.calls import call, identifier, quoted


def test_names_and_texts_are_quoted() -> None:
    assert (identifier('a"b'), quoted("a'b")) == ('"a""b"', "'a''b'")


def test_a_call_says_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "it's"
    path.write_text("1;x\n")
    text = call("read_csv", path, {"delim": ";", "header": False, "columns": {"a'b": "BIGINT", 'c"': "VARCHAR"}})
    with duckdb.connect() as database:
        found = database.execute(f"SELECT * FROM {text}")
        assert [each[0] for each in found.description or ()] == ["a'b", 'c"']
        assert found.fetchall() == [(1, "x")]
