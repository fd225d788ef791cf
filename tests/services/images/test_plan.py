"""How large a picture becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.services.images.plan import Cut, cut

SIDES = st.integers(1, 10_000)
Sizes = tuple[int | None, int | None]


@pytest.mark.parametrize(
    ("mode", "source", "wanted", "size"),
    [
        ("fit", (4000, 3000), (800, 800), (800, 600)),
        ("fit", (4000, 3000), (800, None), (800, 600)),
        ("fit", (4000, 3000), (None, 300), (400, 300)),
        ("fit", (400, 300), (800, 800), (400, 300)),
        ("fit", (10_000, 1), (100, 100), (100, 1)),
        ("cover", (4000, 3000), (500, 500), (500, 500)),
        ("cover", (4000, 3000), (500, None), (500, 375)),
        ("cover", (400, 300), (800, 800), (300, 300)),
        ("cover", (400, 300), (800, 200), (400, 100)),
        ("exact", (400, 300), (800, 200), (800, 200)),
        ("exact", (400, 300), (800, None), (800, 600)),
    ],
)
def test_each_mode_gives_its_size(mode: str, source: tuple[int, int], wanted: Sizes, size: tuple[int, int]) -> None:
    got = cut(source, wanted, mode, enlarge=False)
    assert (got.width, got.height) == size


def test_enlarging_has_to_be_asked_for() -> None:
    sizes = [cut((400, 300), (800, 800), mode, enlarge=True) for mode in ("fit", "cover")]
    assert [(each.width, each.height) for each in sizes] == [(800, 600), (800, 800)]


def test_cover_loses_both_ends_alike() -> None:
    assert cut((400, 200), (100, 100), "cover", enlarge=False) == Cut(100, 100, 0.25, 0.0, 0.75, 1.0)


@given(SIDES, SIDES, st.none() | SIDES, st.none() | SIDES, st.sampled_from(["fit", "cover"]))
def test_nothing_is_enlarged_unasked_and_nothing_is_empty(
    width: int, height: int, to_width: int | None, to_height: int | None, mode: str
) -> None:
    if to_width is None and to_height is None:
        return
    got = cut((width, height), (to_width, to_height), mode, enlarge=False)
    assert 1 <= got.width <= width
    assert 1 <= got.height <= height
    left, top, right, bottom = got.box(width, height)
    assert 0 <= left < right <= width + 1e-6
    assert 0 <= top < bottom <= height + 1e-6
