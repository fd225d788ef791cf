"""A picture from a file that somebody handed in: what is let in, and how much of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PIL import AvifImagePlugin, Image, ImageFile, UnidentifiedImageError

from .colours import to_srgb
from .order import Limits, Order, Refused

# What cameras, scanners, phones and screens write. The rest is left out for what it is: SVG, PDF and EPS are programs,
# PSD and ICO hold several pictures, and decoders that hardly anybody needs are doors that nobody watches.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP")
KNOWN = "JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP"
OTHERS = {
    b"8BPS": "a Photoshop document", b"%PDF": "a PDF", b"%!PS": "PostScript", b"\xc5\xd0\xd3\xc6": "PostScript",
    b"\x00\x00\x01\x00": "an icon", b"\x00\x00\x02\x00": "a cursor", b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL": "JPEG XL", b"\x00\x00\x00\x0cjP": "JPEG 2000", b"PK\x03\x04": "a ZIP archive",
}  # fmt: skip
MOVES = {"GIF", "WEBP"}  # formats whose animation is kept
ORIENTATION = 0x0112  # of EXIF
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
SIDEWAYS = {5, 6, 7, 8}


@dataclass
class Frame:
    """One moment, upright and in sRGB. `duration` is in milliseconds."""

    image: Image.Image
    duration: int


@dataclass
class Picture:
    """An opened file whose pixels are not read yet. `plays` counts how often it is shown; 0 means for ever."""

    source: ImageFile.ImageFile
    format: str
    moves: bool
    plays: int
    left_out: bool


def open_picture(order: Order) -> Picture:
    """Look at the head of the file. Raises Refused for what is no picture of ours, and for what is too large."""
    _guard(order.limits)
    path = Path(order.source)
    with path.open("rb") as file:
        head = file.read(256)
    if not head:
        raise Refused(f"{order.name} is empty.")
    with _decoding(order):
        try:
            source = Image.open(path, formats=FORMATS)
        except UnidentifiedImageError:
            raise Refused(f"{order.name} is {_kind(head)}. Hand in {KNOWN}.") from None
        several = getattr(source, "is_animated", False)
    kind = "JPEG" if source.format == "MPO" else source.format or ""  # a JPEG with further pictures behind it
    moves = several and kind in MOVES
    left_out = several and kind not in MOVES and source.format != "MPO"
    return Picture(source, kind, moves, _plays(source, kind), left_out)


def frames(picture: Picture, order: Order, largest: tuple[int, int], *, moving: bool) -> Iterator[Frame]:
    """Each frame in turn, or the first one only. A JPEG may be read at 1/2, 1/4 or 1/8, not below `largest`."""
    source, pixels = picture.source, 0
    turn = _turn(picture)
    for number in count():
        with _decoding(order):
            if number and not _next(source, number):
                return
            pixels += source.size[0] * source.size[1]
            _check(pixels, number + 1, order)
            if picture.format == "JPEG":
                source.draft(None, largest[::-1] if turn in SIDEWAYS else largest)
            source.load()
        image = to_srgb(source, order.name)
        yield Frame(image.transpose(TURNS[turn]) if turn in TURNS else image, int(source.info.get("duration") or 0))
        if not moving:
            return


def upright_size(picture: Picture) -> tuple[int, int]:
    """Width and height as it is shown, before any pixel is read."""
    width, height = picture.source.size
    return (height, width) if _turn(picture) in SIDEWAYS else (width, height)


def _next(source: ImageFile.ImageFile, number: int) -> bool:
    try:
        source.seek(number)
    except EOFError:
        return False
    return True


def _check(pixels: int, number: int, order: Order) -> None:
    if number > order.limits.frames:
        raise Refused(f"{order.name} has more than {order.limits.frames:,} frames.")
    if pixels > order.limits.pixels:
        raise Refused(too_large(order))


def too_large(order: Order) -> str:
    return f"{order.name} has more than {order.limits.pixels / 1e6:g} million pixels, its frames counted."


def _guard(limits: Limits) -> None:
    """Pillow's own check, before it takes memory, is at twice this figure; below that it only warns."""
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = limits.pixels // 2
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@contextmanager
def _decoding(order: Order) -> Iterator[None]:
    """Whatever a decoder raises is about the file, and so is not our mistake."""
    try:
        yield
    except (Refused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise Refused(too_large(order)) from None
    except Exception as error:  # decoders raise what they like: OSError, SyntaxError, ValueError, struct.error, …
        raise Refused(f"{order.name} is cut short or broken.") from error


def _turn(picture: Picture) -> int:
    """How it lies, by its EXIF; Pillow turns a TIFF by itself."""
    if picture.format == "TIFF":
        return 1
    try:
        return int(picture.source.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken EXIF spoils no picture
        return 1


def _plays(source: ImageFile.ImageFile, kind: str) -> int:
    """A GIF counts its repetitions and plays once without a count, a WebP counts how often it is shown."""
    loop = source.info.get("loop")
    if kind == "GIF":
        return 1 if loop is None else int(loop) and int(loop) + 1
    return int(loop or 0)


def _kind(head: bytes) -> str:
    for magic, name in OTHERS.items():
        if head.startswith(magic):
            return name
    if head[4:8] == b"ftyp":
        return "HEIC or a film"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "SVG or other XML"
    return "no picture that is taken here"
