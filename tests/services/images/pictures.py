"""Pictures made for the tests, files that lie, and what is drawn of them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from webapi.services.images.drawing import draw
from webapi.services.images.order import Order

CORNERS = {"red": (220, 20, 20), "green": (20, 180, 20), "blue": (20, 20, 220), "white": (250, 250, 250)}


def photo(size: tuple[int, int] = (600, 400)) -> Image.Image:
    """Noise over a gradient, with a corner of each colour: red, green, blue and white, clockwise from the top left."""
    grain = Image.effect_noise(size, 40)
    sky = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", [grain, sky, sky.transpose(Image.Transpose.ROTATE_180)])
    width, height = size
    places = [(0, 0), (width * 3 // 4, 0), (width * 3 // 4, height * 3 // 4), (0, height * 3 // 4)]
    for colour, place in zip(CORNERS.values(), places, strict=True):
        image.paste(colour, (*place, place[0] + width // 4, place[1] + height // 4))
    return image


def corners(image: Image.Image) -> list[str]:
    """The names of the four corners' colours, clockwise from the top left."""
    rgb, (width, height) = image.convert("RGB"), image.size
    x, y = width // 16, height // 16
    places = [(x, y), (width - x, y), (width - x, height - y), (x, height - y)]
    return [nearest(pixel(rgb, place)) for place in places]


def nearest(colour: tuple[int, ...]) -> str:
    return min(CORNERS, key=lambda name: sum((a - b) ** 2 for a, b in zip(CORNERS[name], colour, strict=False)))


def pixel(image: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    value = image.getpixel(place)
    assert value is not None
    return tuple(int(part) for part in value) if isinstance(value, tuple) else (int(value),)


def close(first: tuple[int, ...], second: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(first, second, strict=True))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def order(folder: Path, content: bytes, *sizes: tuple[int | None, int | None], **options: Any) -> Order:
    """An order for that content, in a folder of its own."""
    source, out = folder / "source", folder / "out"
    out.mkdir(exist_ok=True)
    source.write_bytes(content)
    return Order(**{"source": str(source), "folder": str(out), "name": "p.jpg", "sizes": list(sizes)} | options)


def drawn(
    folder: Path, content: bytes, *sizes: tuple[int | None, int | None], **options: Any
) -> tuple[dict[str, Any], list[Image.Image]]:
    """What the child's own code makes of it: the facts and the pictures."""
    asked = order(folder, content, *sizes, **options)
    facts = draw(asked, lambda share: None)
    return facts, [Image.open(folder / "out" / str(number)) for number in range(len(facts["pictures"]))]


def one(folder: Path, content: bytes, size: tuple[int | None, int | None], **options: Any) -> Image.Image:
    _, (image,) = drawn(folder, content, size, **options)
    image.load()
    return image


def png(width: int, height: int, *chunks: tuple[bytes, bytes], colour: int = 0) -> bytes:
    """A PNG with that head and those chunks, whatever they say."""
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8 if colour else 1, colour, 0, 0, 0))
    parts = [head, *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def black(width: int, height: int) -> tuple[bytes, bytes]:
    """The pixels of a black-and-white PNG, all black: a few bytes for each thousand."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    return b"IDAT", b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])


def gif(size: tuple[int, int], frames: int) -> bytes:
    """An animation of `frames` frames of one pixel each, in 21 bytes each, however many."""
    frame = (
        b"\x21\xf9\x04\x00\x01\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    return b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * frames + b";"
