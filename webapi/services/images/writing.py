"""Pictures to files that hold pixels and nothing else."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from .order import Order, Refused

SIDES = {"WEBP": 16_383, "JPEG": 65_500, "GIF": 65_535, "AVIF": 65_535}  # pixels: the most that each format can say
# One step of quality means something else in AVIF: 60 looks like 80 elsewhere.
METHODS: dict[str, dict[str, Any]] = {
    "JPEG": {"optimize": True, "progressive": True},
    "WEBP": {"method": 4},
    "AVIF": {"speed": 7, "max_threads": 1},
    "PNG": {},
    "GIF": {"optimize": False},
}


def write(order: Order, number: int, moments: list[Image.Image], durations: list[int], plays: int, kind: str) -> None:
    """Write one size as the file `number`. Raises Refused where the format or the limit on a file does not allow it."""
    if max(moments[0].size) > SIDES.get(kind, 10**6):
        raise Refused(f"{kind} takes no side longer than {SIDES[kind]:,} pixels.")
    ready = [_ready(image, kind, order.background) for image in moments]
    options = dict(METHODS[kind])
    if kind not in {"PNG", "GIF"}:
        options["quality"] = order.quality
    if len(ready) > 1:
        options |= _moving(ready, durations, plays, kind)
    content = _encoded(ready, kind, options, order)
    if len(content) > order.limits.file:
        raise Refused(f"One of the pictures would be larger than {order.limits.file / 1024**2:g} MB.")
    (Path(order.folder) / str(number)).write_bytes(content)


def _encoded(ready: list[Image.Image], kind: str, options: dict[str, Any], order: Order) -> bytes:
    """In memory first: Pillow does not say why it could not write to a disk."""
    file = BytesIO()
    try:
        ready[0].save(file, kind, **options)
    except (OSError, ValueError, RuntimeError) as error:  # what encoders say of a picture that is too much for them
        width, height = ready[0].size
        raise Refused(f"{order.name} cannot be written as {kind} with {width} by {height} pixels.") from error
    if kind == "WEBP" and any("A" in image.mode for image in ready):
        _say_transparent(file)
    return file.getvalue()


def _ready(image: Image.Image, kind: str, background: str) -> Image.Image:
    """In a mode that the format has; what Pillow carries along (profile, EXIF, comments) is left behind."""
    image.info.clear()
    if "A" not in image.mode:
        return image
    if kind == "JPEG":
        ground = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    if kind == "GIF":  # a pixel is there or it is not
        image = image.convert("RGBA")
        image.putalpha(image.getchannel("A").point(lambda value: 255 if value > 127 else 0))
    return image


def _say_transparent(file: BytesIO) -> None:
    """Set the alpha flag of an extended WebP: libwebp forgets it when each part that changes is opaque by itself."""
    view = file.getbuffer()
    if bytes(view[12:16]) == b"VP8X":
        view[20] |= 0x10


def _moving(ready: list[Image.Image], durations: list[int], plays: int, kind: str) -> dict[str, Any]:
    options: dict[str, Any] = {"save_all": True, "append_images": ready[1:], "duration": durations}
    if kind == "WEBP":
        return options | {"loop": min(plays, 65_535), "background": (0, 0, 0, 0)}
    if any("A" in image.mode for image in ready):
        options["disposal"] = 2  # what was there before must not shine through
    if plays != 1:
        options["loop"] = min(max(plays - 1, 0), 65_535)
    return options
