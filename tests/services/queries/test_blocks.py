"""Rows as bytes, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.services.queries.blocks import packed, unpacked

TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=5) | st.sampled_from(["\0", "a\0", ""])


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=8))
def test_what_is_packed_is_what_is_unpacked(rows: list[tuple[str | None, ...]]) -> None:
    columns = [[text if text is None else text.encode() for text in each] for each in zip(*rows, strict=True)]
    assert unpacked(packed(rows), 3) == columns


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\0\0\0\2[]", b"\xff\xff\xff\xff", packed([("a", "b")])[:-1], packed([("a", "b")]) + b"c",
        packed([("a",)]), packed([("ä", "b")]).replace(b"\xc3", b"\xff"), packed([(None, "b")]).replace(b"[0]", b"[7]"),
        packed([("a", "b")]).replace(b'"length":1', b'"length":0', 1),
    ],
)  # fmt: skip
def test_what_a_child_that_was_taken_over_sends_is_an_error(body: bytes) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        unpacked(body, 2)
