"""Sizes as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from webapi.services.images.sizes import Size, parse, written

SIZE: TypeAdapter[str] = TypeAdapter(Size)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("800x600", (800, 600)),
        ("800x", (800, None)),
        ("x600", (None, 600)),
        ("1X1", (1, 1)),
        (" 800 × 600 ", (800, 600)),
    ],
)
def test_a_size_has_one_side_or_two(text: str, size: tuple[int | None, int | None]) -> None:
    assert parse(text) == size
    assert parse(written(size)) == size


@pytest.mark.parametrize(
    "text", ["", "x", "800", "0x600", "-1x5", "8e2x6", "800x600x4", "10001x1", "x99999", "٨x٨", "800x600\n9x9", "1.5x2"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a size like|at most 10,000 pixels"):
        parse(text)


@pytest.mark.parametrize(
    ("given", "text"),
    [({"width": 800, "height": 600}, "800x600"), ({"width": 800}, "800x"), ({"height": 6, "width": None}, "x6")],
)
def test_a_program_may_send_an_object(given: dict[str, Any], text: str) -> None:
    assert SIZE.validate_python(given) == text


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"width": True},
        {"width": 0},
        {"width": -5},
        {"width": 10_001},
        {"width": "8"},
        {"width": 8.0},
        {"w": 8},
        8,
        None,
        [8, 6],
    ],
)
def test_an_object_that_is_no_size_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        SIZE.validate_python(given)
