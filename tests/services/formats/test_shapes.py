"""The type of a column of Parquet, out of its texts."""

from __future__ import annotations

import pytest

from webapi.services.formats import Column, Type
from webapi.services.formats.shapes import Shape


@pytest.mark.parametrize(
    ("kind", "blocks", "sql"),
    [
        ("integer", [[b"1"], [b"-99999999999999999", b""]], "BIGINT"),
        ("integer", [[b"1"], [b"9999999999999999999"]], "DECIMAL(19,0)"),
        ("number", [[b"1.50", b"0.005"], [b"123456789012345678901"]], "DECIMAL(24,3)"),
        ("number", [[b"1"], [b"nan"]], "DOUBLE"),
        ("number", [[b"", b""]], "DOUBLE"),
        ("number", [[b"1E-50"]], "VARCHAR"),
        ("datetime", [[b"2026-01-01T00:00:00+00:00", b""]], "TIMESTAMP WITH TIME ZONE"),
        ("datetime", [[b"2026-01-01T00:00:00+00:00"], [b"2026-01-01T00:00:00"]], "TIMESTAMP"),
        ("text", [[b"1", None]], "VARCHAR"),
    ],
)
def test_a_type_holds_all_the_texts(kind: Type, blocks: list[list[bytes | None]], sql: str) -> None:
    shape = Shape(Column("a", kind))
    for texts in blocks:
        shape.see(texts)
    assert shape.sql == sql


def test_what_is_known_as_floats_stays_so_whatever_the_texts_are() -> None:
    shape = Shape(Column("a", "number", floats=True))
    shape.see([b"1.5"])
    assert shape.sql == "DOUBLE"
