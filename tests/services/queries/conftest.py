"""A folder for scratch, files as sources, and a statement run to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import python_children
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits, Options, Source

LIMITS = Limits(memory_bytes=128 << 20, seconds=30, rows=1_000_000, temp_bytes=64 << 20)
Rows = tuple[list[tuple[str, str]], list[tuple[Any, ...]], str | None]
Run = Callable[..., Rows]
Make = Callable[..., Source]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where scratch goes. Afterwards nothing is there, and no child of it is left."""
    path = tmp_path / "scratch"
    path.mkdir()
    yield path
    assert list(path.iterdir()) == []
    assert python_children() == []


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(content: bytes | str, kind: str = "csv", name: str = "upload", **options: Any) -> Source:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(path, kind, Options(**options))

    return make


@pytest.fixture
def run(folder: Path) -> Run:
    """Columns, rows, and why there are no more."""

    def run(sql: str, values: dict[str, Any] | None = None, *, limits: Limits = LIMITS, **datasets: Source) -> Rows:
        with query(sql, datasets, values or {}, limits=limits, folder=folder) as result:
            rows = list(result.rows)
        return result.columns, rows, result.truncated

    return run
