"""All sizes of a picture in one pass over its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from .order import Order, Refused
from .plan import Cut, cut
from .reading import MOVES, Frame, Picture, frames, open_picture, upright_size
from .writing import write

KEPT = {"TIFF": "PNG", "BMP": "PNG"}  # browsers show neither; nothing is lost on the way
FINER = 2  # times: a JPEG is read at least this much larger than it is needed
GAP = 3.0  # times: further than this, a quick filter goes first and the fine one does the rest


def draw(order: Order, tell: Callable[[float], None]) -> dict[str, Any]:
    """Write every size, and say what came out. `tell` hears how much is done, 0 to 1. Raises Refused."""
    picture = open_picture(order)
    kind = KEPT.get(picture.format, picture.format) if order.format == "keep" else order.format.upper()
    moving = picture.moves and kind in MOVES
    size = upright_size(picture)
    cuts = [cut(size, wanted, order.mode, enlarge=order.enlarge) for wanted in order.sizes]
    different = list(dict.fromkeys((each.width, each.height) for each in cuts))
    chosen = [next(each for each in cuts if (each.width, each.height) == size) for size in different]
    _check(order, chosen, 1)
    tell(0.05)
    count, plays = _all(order, picture, chosen, kind, tell, moving=moving)
    return {
        "format": kind.lower(),
        "frames": count,
        "plays": plays,
        "first_frame_only": picture.left_out or (picture.moves and not moving),
        "source": {"format": picture.format.lower(), "width": size[0], "height": size[1]},
        "pictures": [{"width": width, "height": height} for width, height in different],
        "of_sizes": [different.index((each.width, each.height)) for each in cuts],
    }


def _all(
    order: Order, picture: Picture, chosen: list[Cut], kind: str, tell: Callable[[float], None], *, moving: bool
) -> tuple[int, int]:
    """A still picture is read once and written size by size; of a moving one, the small frames are kept together."""
    largest = (max(FINER * _across(each)[0] for each in chosen), max(FINER * _across(each)[1] for each in chosen))
    drawn: list[list[Image.Image]] = [[] for _ in chosen]
    durations: list[int] = []
    for frame in frames(picture, order, largest, moving=moving):
        durations.append(frame.duration)
        _check(order, chosen, len(durations))
        if not moving:
            for number, each in enumerate(chosen):
                write(order, number, [_resized(frame, each)], [], 1, kind)
                tell(0.1 + 0.9 * (number + 1) / len(chosen))
            return 1, 1
        for moments, each in zip(drawn, chosen, strict=True):
            moments.append(_resized(frame, each))
        tell(0.1 + 0.6 * len(durations) / order.limits.frames)
    for number, moments in enumerate(drawn):
        write(order, number, moments, durations, picture.plays, kind)
        tell(0.7 + 0.3 * (number + 1) / len(chosen))
    return len(durations), picture.plays


def _across(each: Cut) -> tuple[int, int]:
    """How large the whole source would be at this scale."""
    return round(each.width / (each.right - each.left)), round(each.height / (each.bottom - each.top))


def _check(order: Order, chosen: list[Cut], count: int) -> None:
    if count * sum(each.width * each.height for each in chosen) > order.limits.pixels:
        most = order.limits.pixels / 1e6
        raise Refused(f"All sizes together would have more than {most:g} million pixels, their frames counted.")


def _resized(frame: Frame, each: Cut) -> Image.Image:
    size, image = (each.width, each.height), frame.image
    box = each.box(*image.size)
    if image.size == size and box == (0, 0, *size):
        return image.copy()
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)
