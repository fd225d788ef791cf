"""What is let in and what is not, each with its sentence. The decoders run in this process here."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.services.images.pictures import black, encoded, gif, order, photo, png
from webapi.services.images.drawing import draw
from webapi.services.images.order import Limits, Refused

BROKEN = "is cut short or broken"
LARGE = "has more than 100 million pixels"


def refusal(folder: Path, content: bytes, **options: object) -> str:
    with pytest.raises(Refused) as caught:
        draw(order(folder, content, (100, 100), **options), lambda share: None)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "p.jpg is empty."),
        (b"Dear diary", "is no picture that is taken here. Hand in JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is SVG or other XML."),
        (b"\xef\xbb\xbf <?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><svg/>", "is SVG or other XML."),
        (b"8BPS\0\x01" + b"\0" * 50, "is a Photoshop document."),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is PostScript."),
        (b"%PDF-1.7\n", "is a PDF."),
        (b"\0\0\x01\0\x01\0" + b"\0" * 50, "is an icon."),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50, "is HEIC or a film."),
        (b"PK\x03\x04" + b"\0" * 50, "is a ZIP archive."),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 50, "is JPEG 2000."),
    ],
)  # fmt: skip
def test_what_is_no_picture_of_ours_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    assert sentence in refusal(tmp_path, content)


@pytest.mark.parametrize(
    "kind", ["PPM", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "DDS", "XBM", "PDF", "EPS", "ICNS", "IM"]
)
def test_formats_that_pillow_could_read_stay_shut(tmp_path: Path, kind: str) -> None:
    image = Image.new("1" if kind == "XBM" else "RGB", (64, 64))
    assert "Hand in JPEG, PNG" in refusal(tmp_path, encoded(image, kind))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    content = encoded(photo(), kind)
    said = refusal(tmp_path, content[: int(len(content) * share)])
    assert BROKEN in said or (kind == "TIFF" and "Hand in" in said) or (kind == "AVIF" and "Hand in" in said)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
def test_a_head_alone_is_refused(tmp_path: Path, kind: str) -> None:
    for length in (4, 12, 30):
        said = refusal(tmp_path, encoded(photo((64, 64)), kind)[:length])
        assert BROKEN in said or "Hand in" in said


def test_a_png_of_ten_kilobytes_that_would_fill_a_gigabyte_is_refused(tmp_path: Path) -> None:
    row = zlib.compress(b"\0" * 6_251 * 1000, 9)
    content = png(50_000, 50_000, (b"IDAT", row))
    assert len(content) < 10_000
    assert LARGE in refusal(tmp_path, content)


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (0, 5)])
def test_sizes_that_cannot_be_are_refused_before_memory_is_taken(tmp_path: Path, width: int, height: int) -> None:
    said = refusal(tmp_path, png(width, height, black(8, 8)))
    assert LARGE in said or BROKEN in said or "Hand in" in said


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_the_cap_holds_for_every_format(tmp_path: Path, kind: str) -> None:
    content = encoded(photo((100, 100)), kind)
    assert "has more than 0.009999 million pixels" in refusal(tmp_path, content, limits=Limits(pixels=9_999))
    draw(order(tmp_path, content, (10, 10), limits=Limits(pixels=10_000)), lambda share: None)


def test_a_tiff_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(encoded(photo((64, 64)), "TIFF"))
    count_at = struct.unpack_from("<I", content, 4)[0]
    for entry in range(count_at + 2, count_at + 2 + 12 * struct.unpack_from("<H", content, count_at)[0], 12):
        tag = struct.unpack_from("<H", content, entry)[0]
        if tag in {256, 257}:  # ImageWidth, ImageLength
            struct.pack_into("<HHII", content, entry, tag, 4, 1, 9_000)
    assert BROKEN in refusal(tmp_path, bytes(content))
    for entry in range(count_at + 2, count_at + 2 + 12 * struct.unpack_from("<H", content, count_at)[0], 12):
        tag = struct.unpack_from("<H", content, entry)[0]
        if tag in {256, 257}:
            struct.pack_into("<HHII", content, entry, tag, 4, 1, 400_000)
    said = refusal(tmp_path, bytes(content))
    assert LARGE in said or "Hand in" in said


def test_a_tiff_whose_directory_is_a_circle_ends(tmp_path: Path) -> None:
    content = bytearray(encoded(photo((64, 64)), "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0]
    entries = struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, first + 2 + 12 * entries, first)
    facts = draw(order(tmp_path, bytes(content), (10, 10)), lambda share: None)
    assert facts["pictures"] == [{"width": 10, "height": 10}]


def test_a_gif_of_a_hundred_thousand_frames_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, gif((1, 1), 100_000)) == "p.jpg has more than 1,000 frames."


def test_frames_count_together(tmp_path: Path) -> None:
    content = gif((4000, 4000), 100)
    assert len(content) < 3000
    assert LARGE in refusal(tmp_path, content)


def test_only_the_first_frame_of_an_apng_is_ever_read(tmp_path: Path) -> None:
    """A thousand frames of 100 megapixels are named and not there."""
    control = struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 10, 0, 0)
    content = png(8, 8, (b"acTL", struct.pack(">II", 2**31 - 1, 0)), (b"fcTL", control), black(8, 8))
    facts = draw(order(tmp_path, content, (4, 4)), lambda share: None)
    assert (facts["frames"], facts["first_frame_only"]) == (1, True)


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_packed_chunks_that_explode_are_refused_or_passed_over(tmp_path: Path, name: bytes) -> None:
    bomb = zlib.compress(b"x" * 200_000_000, 9)
    assert len(bomb) < 200_000
    head = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"a\0\0"}[name]
    content = png(8, 8, (name, head + bomb), black(8, 8))
    assert BROKEN in refusal(tmp_path, content)


def test_a_large_exif_and_a_large_profile_are_left_behind(tmp_path: Path) -> None:
    content = png(
        64,
        64,
        (b"eXIf", b"MM\0*" + b"\xff" * 5_000_000),
        (b"iCCP", b"a\0\0" + zlib.compress(b"x" * 900_000)),
        black(64, 64),
    )
    draw(order(tmp_path, content, (32, 32)), lambda share: None)
    assert (tmp_path / "out" / "0").stat().st_size < 1000


def test_many_texts_are_refused(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    for number in range(80):
        texts.add_text(f"t{number}", "x" * 1_000_000, zip=True)
    assert BROKEN in refusal(tmp_path, encoded(Image.new("L", (8, 8)), "PNG", pnginfo=texts))


def test_a_broken_orientation_spoils_no_picture(tmp_path: Path) -> None:
    content = encoded(photo(), "JPEG")
    for exif in (b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 100):
        segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
        facts = draw(order(tmp_path, content[:2] + segment + content[2:], (60, 60)), lambda share: None)
        assert facts["pictures"] == [{"width": 60, "height": 40}]
