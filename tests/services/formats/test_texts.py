"""Rows as texts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from webapi.services.formats import Block, Column
from webapi.services.formats.texts import Blocks, texts_of


def test_a_text_is_what_csv_shows() -> None:
    assert texts_of(Column("a", "number"), [1.0, Decimal("1E+3"), None, float("nan")]) == [b"1.0", b"1000", b"", b"nan"]
    assert texts_of(Column("a", "boolean"), [1, False, None]) == [b"true", b"false", b""]
    assert texts_of(Column("a", "text"), ["ä", None, ""]) == ["ä".encode(), None, b""]


def test_what_a_column_cannot_hold_is_said_of_it() -> None:
    with pytest.raises(ValueError, match="column 'day' is date and cannot hold"):
        texts_of(Column("day", "date"), ["yesterday"])


def test_blocks_are_counted_as_they_go_by() -> None:
    blocks = Blocks(
        [Column("n", "number")], [Block([[b"1.5", b"", b"nan"]], 3), Block([[b"2"]], 1)], incomplete=lambda: "x"
    )
    assert [block.first(1).columns for block in blocks] == [[[b"1.5"]], [[b"2"]]]
    written = blocks.written()
    assert (written.rows, written.totals, written.not_finite) == (4, {"n": Decimal("3.5")}, {"n": 1})
    assert written.truncated == "x"
