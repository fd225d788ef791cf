"""CSV made of texts is, byte for byte, the one that is made of values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.formats.sample import COLUMNS, ODD, heading, rows
from webapi.services.formats import Block, Column, write
from webapi.services.formats.cells import FORMULA
from webapi.services.formats.texts import texts_of


def same(folder: Path, columns: Sequence[Column], found: Sequence[Sequence[Any]], size: int = 1000) -> bytes:
    """The file of rows, which is that of their texts too, in blocks of so many."""
    blocks = [
        Block(list(map(texts_of, columns, map(list, zip(*part, strict=True)))), len(part))
        for part in (found[first : first + size] for first in range(0, len(found), size))
    ]
    one = write(folder / "rows.csv", "csv", heading(), columns, found)
    other = write(folder / "texts.csv", "csv", heading(), columns, (), blocks=blocks)
    assert repr(one) == repr(other)
    assert (folder / "rows.csv").read_bytes() == (folder / "texts.csv").read_bytes()
    return (folder / "texts.csv").read_bytes()


def test_rows_of_every_kind_are_the_same(tmp_path: Path) -> None:
    same(tmp_path, COLUMNS, list(rows(2500)))


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | ODD, st.none() | ODD), max_size=6))
def test_any_texts_are_the_same(found: list[tuple[str | None, str | None]]) -> None:
    with TemporaryDirectory() as folder:
        same(Path(folder), [Column("=a", "text"), Column("b", "text")], found, 3)


@pytest.mark.parametrize("letter", [*sorted(FORMULA), ",", '"', "！", "\x00"])
def test_one_odd_text_among_many_is_seen(tmp_path: Path, letter: str) -> None:
    content = same(
        tmp_path, [Column("a", "text"), Column("n", "integer")], [("x" + letter, 1), (letter + "x", 2), ("", 3)]
    )
    assert content.count(b"\n") >= 4


def test_an_empty_row_of_one_column_is_a_row(tmp_path: Path) -> None:
    assert same(tmp_path, [Column("a", "text")], [("x",), ("",), (None,)]) == b'a\r\nx\r\n""\r\n""\r\n'
