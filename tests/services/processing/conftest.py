"""Tables out of texts and values, cleaned and profiled without a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from webapi.services.processing import cleaning
from webapi.services.processing.plan import Cleaning, Plan
from webapi.services.processing.profile import profile
from webapi.services.processing.tables import Table, of_values
from webapi.services.queries.sources import Source


class Desk:
    """`clean` gives names, rows and steps; `profile` the columns by name, with the rows and the duplicates beside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, content: Any, kind: str = "csv") -> Table:
        """A file's content, or values."""
        if not isinstance(content, str | bytes):
            table = of_values(content, self.folder)
            assert table is not None
            return table
        path = self.folder / f"table.{kind}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Table(path.name, Source(path, kind), self.folder)

    def clean(self, content: Any, **steps: Any) -> tuple[list[str], list[tuple[Any, ...]], dict[str, Any]]:
        table = self.table(content)
        plan = Plan(table.name, table.describe(steps.get("types")), Cleaning(**steps))
        counted = table.ask(cleaning.counts(plan))
        with table.rows(cleaning.rows(plan, cleaning.named(plan), ordered=True)) as result:
            rows = list(result.rows)
        done = cleaning.steps(plan, counted, len(rows))
        return [name for name, _ in result.columns], rows, {each["step"]: each for each in done}

    def profile(self, content: Any, *, kind: str = "csv", cells: int = 10**9, **steps: Any) -> dict[str, Any]:
        table = self.table(content, kind)
        found = profile(table, Plan(table.name, table.describe(), Cleaning(**steps)), exact_cells=cells)
        return {"rows": found["rows"], "duplicates": found["duplicates"]} | {
            each["name"]: each for each in found["columns"]
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Afterwards no child and no scratch of one is left."""
    yield Desk(tmp_path)
    assert not list(tmp_path.glob("query-*"))
    assert not [child for child in psutil.Process().children() if "queries import child" in " ".join(child.cmdline())]


Clean = Callable[..., tuple[list[str], list[tuple[Any, ...]], dict[str, Any]]]
