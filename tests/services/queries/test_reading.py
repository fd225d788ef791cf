"""Views over files, made so that DuckDB has nothing left to guess."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from webapi.services.queries import reading
from webapi.services.queries.sources import Options, Source


def test_a_view_reads_by_its_link_and_names_no_other_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "upload").write_text("a;b\n1;2,5\n")
    monkeypatch.chdir(tmp_path / "inside")
    with duckdb.connect() as database:
        told = reading.attach(database, 'x"y', Source(tmp_path / "upload", "csv"), Path("data-1.csv"))
        assert database.execute('FROM "x""y"').fetchall() == [(1, 2.5)]
        (text,) = database.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall()[0]
    assert str(tmp_path) not in text
    assert told == Options(";", '"', "utf-8", True, 0, None, None, ",", (("a", "BIGINT"), ("b", "DOUBLE")))
