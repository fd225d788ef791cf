"""Pixels of every kind become 8-bit sRGB of the same look."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageCms

from tests.services.images.pictures import close, encoded, one, order, photo, pixel
from webapi.services.images.colours import to_srgb
from webapi.services.images.drawing import draw
from webapi.services.images.order import Refused

RED = (200, 30, 40)


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    image = Image.new("I;16", (40, 40), 257 * 100)
    for kind in ("PNG", "TIFF"):
        assert pixel(one(tmp_path, encoded(image, kind), (20, 20), format="png"), (10, 10)) == (100,)


def test_sixteen_bits_reach_from_black_to_white() -> None:
    image = Image.new("I;16", (2, 1))
    image.putpixel((1, 0), 65_535)
    assert [pixel(to_srgb(image, "p"), (x, 0)) for x in (0, 1)] == [(0,), (255,)]


def test_a_palette_with_a_hole_becomes_transparent(tmp_path: Path) -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 20, 40))
    small = one(tmp_path, encoded(image, "PNG", transparency=0), (20, 20))
    assert pixel(small, (2, 10))[3] == 0
    assert pixel(small, (17, 10)) == (*RED, 255)


def test_a_colour_that_stands_for_nothing_becomes_transparent() -> None:
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((0, 0), (1, 2, 3))
    image.info["transparency"] = (1, 2, 3)
    assert [pixel(to_srgb(image, "p"), (x, 0))[3] for x in (0, 1)] == [0, 255]


@pytest.mark.parametrize(("mode", "made"), [("1", "L"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("PA", "RGBA")])
def test_simple_pictures_stay_simple(mode: str, made: str) -> None:
    assert to_srgb(photo((8, 8)).convert("RGBA" if mode == "PA" else "RGB").convert(mode), "p").mode == made


@pytest.mark.parametrize("mode", ["I", "F"])
def test_measurements_are_no_colours(tmp_path: Path, mode: str) -> None:
    with pytest.raises(Refused, match="does not say which is white"):
        draw(order(tmp_path, encoded(Image.new(mode, (4, 4)), "TIFF"), (2, 2)), lambda share: None)


def test_cmyk_jpegs_keep_their_colours(tmp_path: Path) -> None:
    """Those of Adobe hold everything inverted."""
    cyan = Image.new("CMYK", (64, 64), (255, 0, 0, 0))
    assert close(pixel(one(tmp_path, encoded(cyan, "JPEG", quality=95), (32, 32)), (16, 16)), (0, 255, 255))


def test_lab_becomes_rgb(tmp_path: Path) -> None:
    srgb = ImageCms.createProfile("sRGB")
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (40, 40), RED), srgb, ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert close(pixel(one(tmp_path, encoded(lab, "TIFF"), (20, 20)), (10, 10)), RED, by=3)


def gamma_one(space: bytes = b"RGB ") -> bytes:
    """A made profile: sRGB's primaries with a linear tone curve, so that 50 % there is 188 in sRGB."""
    base = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(base[128:132], "big")
    for entry in range(132, 132 + 12 * count, 12):
        name, at = bytes(base[entry : entry + 4]), int.from_bytes(base[entry + 4 : entry + 8], "big")
        if name in {b"rTRC", b"gTRC", b"bTRC"}:
            base[at : at + 12] = b"curv\0\0\0\0\0\0\0\0"
        if name == b"desc":
            size = int.from_bytes(base[entry + 8 : entry + 12], "big")
            base[at : at + size] = bytes(base[at : at + size]).replace(b"\0s\0R\0G\0B", b"\0l\0i\0n\0e")
    base[16:20] = space
    return bytes(base)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_colours_of_a_profile_are_converted(tmp_path: Path, kind: str) -> None:
    grey = Image.new("RGB", (64, 64), (128, 128, 128))
    small = one(tmp_path, encoded(grey, kind, icc_profile=gamma_one(), quality=95), (32, 32))
    assert close(pixel(small, (16, 16)), (188, 188, 188), by=3)
    assert "icc_profile" not in small.info


def test_transparency_outlives_the_conversion(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 40), (128, 128, 128, 77))
    small = one(tmp_path, encoded(image, "PNG", icc_profile=gamma_one()), (20, 20))
    assert close(pixel(small, (10, 10)), (188, 188, 188, 77), by=2)


@pytest.mark.parametrize(
    "profile", [b"\0", b"no profile", b"x" * 1_000_000, gamma_one(b"CMYK"), gamma_one()[:200], b"x" * 9_000_000]
)
def test_a_profile_that_says_nothing_changes_nothing(profile: bytes) -> None:
    image = Image.new("RGB", (2, 2), RED)
    image.info["icc_profile"] = profile
    assert pixel(to_srgb(image, "p"), (0, 0)) == RED
