"""A folder to count in, for as long as a test takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from webapi.metrics import book, pages


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = pages.folder_for(tmp_path / "metrics", "test", 1)
    book.start(made)
    yield made
    book.stop()
