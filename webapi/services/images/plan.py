"""How large a picture becomes, and which part of it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """What comes out: a size in pixels, and the part of the source that fills it, as shares of its sides."""

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """That part in pixels of a source which may have been read smaller than it is."""
        return self.left * width, self.top * height, self.right * width, self.bottom * height


def cut(source: tuple[int, int], wanted: tuple[int | None, int | None], mode: str, *, enlarge: bool) -> Cut:
    """What comes of a source of that size.

    `fit` stays within both sides. `cover` fills them and loses what stands over, from both ends alike; a source
    that is too small is cut to their ratio. `exact` takes them as they are and may distort. With one side
    the other keeps the ratio.
    """
    width, height = source
    to_width, to_height = wanted
    if to_width is None or to_height is None:
        scale = to_width / width if to_width else (to_height or height) / height
        return _scaled(source, _held(scale, enlarge or mode == "exact"))
    if mode == "exact":
        return Cut(to_width, to_height)
    if mode == "fit":
        return _scaled(source, _held(min(to_width / width, to_height / height), enlarge))
    scale = max(to_width / width, to_height / height)
    shrink = _held(scale, enlarge) / scale  # less than 1 where the source is too small
    lost_x, lost_y = _lost(to_width, width * scale), _lost(to_height, height * scale)
    return Cut(_side(to_width * shrink), _side(to_height * shrink), lost_x, lost_y, 1 - lost_x, 1 - lost_y)


def _held(scale: float, enlarge: bool) -> float:
    return scale if enlarge else min(1.0, scale)


def _lost(kept: float, length: float) -> float:
    """The share that goes at each end; rounding makes no share negative."""
    return max(0.0, (1 - kept / length) / 2)


def _scaled(source: tuple[int, int], scale: float) -> Cut:
    return Cut(_side(source[0] * scale), _side(source[1] * scale))


def _side(length: float) -> int:
    return max(1, round(length))
