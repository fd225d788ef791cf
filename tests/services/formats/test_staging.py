"""What goes to the scratch file of Parquet tells null from empty, and is read as it was."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.formats.sample import ODD, heading
from tests.services.formats.test_columnar import read
from webapi.services.formats import Block, Column, write
from webapi.services.formats.cells import encodable
from webapi.services.formats.shapes import Shape
from webapi.services.formats.staging import SHORTEST_LINE, stage
from webapi.services.formats.texts import Blocks

TWO = [Column("a", "text"), Column("b", "text")]
Rows = list[tuple[str | None, str | None]]


def encoded(rows: Rows) -> list[tuple[str | None, str | None]]:
    return [(a and encodable(a), b and encodable(b)) for a, b in rows]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.none() | ODD, st.none() | ODD), min_size=1, max_size=6))
def test_any_texts_and_nulls_read_back(rows: Rows) -> None:
    columns = [[None if text is None else text.encode() for text in each] for each in zip(*encoded(rows), strict=True)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        write(path, "parquet", heading(), TWO, (), blocks=[Block(columns, len(rows)), Block([[b"x"], [b""]], 1)])
        assert read(path)[1] == [*encoded(rows), ("x", "")]


def test_the_longest_line_is_known(tmp_path: Path) -> None:
    block = Block([[b"", b'"' * 3_000_000], [b"x", b"y"]], 2)
    found = stage(tmp_path / "a", [Shape(column) for column in TWO], Blocks(TWO, [block]))
    assert max(map(len, (tmp_path / "a").read_bytes().splitlines())) <= found.longest
    assert stage(tmp_path / "b", [Shape(column) for column in TWO], Blocks(TWO, [])).longest == SHORTEST_LINE
