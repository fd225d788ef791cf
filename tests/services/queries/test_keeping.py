"""In the child: what is kept, and what can be reached meanwhile."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from webapi.services.queries import keeping
from webapi.services.queries.sources import Refusal, Source


def test_a_file_is_locked_in_before_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "upload").write_text("a,b\n1,x\n")
    monkeypatch.chdir(tmp_path / "inside")
    locked: list[list[str]] = []
    with duckdb.connect() as database:
        kept = keeping.keep(database, Source(tmp_path / "upload", "csv"), {}, locked.append)
    assert locked == [["data-1.csv", keeping.KEPT]]
    assert (kept["rows"], kept["first"]) == (1, [[1, "x"]])
    assert sorted(path.name for path in (tmp_path / "inside").iterdir()) == ["data-1.csv", keeping.KEPT]


def test_what_is_wrong_with_a_file_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "upload").write_text("")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as database, pytest.raises(Refusal, match=r"^The file is empty\.$"):
        keeping.keep(database, Source(tmp_path / "upload", "csv"), {}, lambda _: None)


def test_somebody_hears_how_far_a_statement_is() -> None:
    heard: list[float] = []
    with duckdb.connect() as database, keeping.telling(database, heard.append):
        while not heard:
            database.execute("SELECT sum(range) FROM range(10_000_000)")
    assert all(0 <= percent <= 100 for percent in heard)
