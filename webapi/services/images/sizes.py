"""Sizes as people write them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

LONGEST = 10_000  # pixels of one side
PATTERN = r"^([1-9][0-9]{0,4})?[xX×]([1-9][0-9]{0,4})?$"
WRITTEN = re.compile(PATTERN.replace("$", r"\Z"))


def parse(size: str) -> tuple[int | None, int | None]:
    """Width and height of "800x600", "800x" or "x600". Raises ValueError with a sentence."""
    found = WRITTEN.match(size.replace(" ", ""))
    if found is None or not any(found.groups()):
        raise ValueError("write a size like 800x600, 800x or x600")
    width, height = (int(side) if side else None for side in found.groups())
    if max(width or 0, height or 0) > LONGEST:
        raise ValueError(f"a side has at most {LONGEST:,} pixels")
    return width, height


def written(size: tuple[int | None, int | None]) -> str:
    """The other way: "800x600", "800x", "x600"."""
    return "x".join("" if side is None else str(side) for side in size)


def _normal(value: Any) -> str:
    if isinstance(value, dict):
        sides = [value.get(side) for side in ("width", "height")]
        if value.keys() - {"width", "height"} or not all(side is None or type(side) is int for side in sides):
            raise ValueError("a size has a width, a height or both, in pixels")
        value = written((sides[0], sides[1]))
    if not isinstance(value, str):
        raise ValueError("write a size like 800x600, 800x or x600")  # noqa: TRY004 - pydantic wants a ValueError
    return written(parse(value))


# A form shows a list of these as lines, so its schema is that of a text; an object with width and height is taken too.
Size = Annotated[str, BeforeValidator(_normal), WithJsonSchema({"type": "string", "pattern": PATTERN})]
