"""Files that hold pixels and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from tests.services.images.pictures import close, encoded, one, order, photo, pixel
from webapi.services.images.drawing import draw
from webapi.services.images.order import Refused

SECRETS = [
    b"CANARY",
    b"Exif",
    b"GPS",
    b"ICC_PROFILE",
    b"iCCP",
    b"http://ns.adobe.com",
    b"Photoshop 3.0",
    b"tEXt",
    b"eXIf",
]


def laden(kind: str) -> bytes:
    """A photo with everything in it that a camera or a person leaves."""
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = "CANARY description", "CANARY comment"
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    exif.get_ifd(0x8825)[29] = "CANARY"
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">CANARY http://ns.adobe.com/xap/1.0/</x:xmpmeta>'
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "CANARY")
    texts.add_itxt("XML:com.adobe.xmp", packet.decode())
    each: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": b"CANARY", "xmp": packet},
        "PNG": {"pnginfo": texts},
        "WEBP": {"xmp": packet},
        "AVIF": {"xmp": packet},
        "TIFF": {"description": "CANARY"},
    }
    made = encoded(photo(), kind, exif=exif, **each.get(kind, {}))
    assert b"CANARY" in made, "the test would prove nothing"
    return made


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("made", ["keep", "jpeg", "png", "webp", "avif"])
def test_no_metadata_goes_through(tmp_path: Path, kind: str, made: str) -> None:
    small = one(tmp_path, laden(kind), (300, None), format=made)
    content = (tmp_path / "out" / "0").read_bytes()
    assert [secret for secret in SECRETS if secret in content] == []
    assert not dict(small.getexif())


def test_comments_and_iptc_go_too(tmp_path: Path) -> None:
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0b\x1c\x02\x78\0\x06CANARY\0"
    content = encoded(photo(), "JPEG")
    laden_jpeg = content[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc + content[2:]
    one(tmp_path, laden_jpeg, (300, None))
    assert b"CANARY" not in (tmp_path / "out" / "0").read_bytes()
    one(tmp_path, encoded(photo(), "GIF", comment=b"CANARY"), (300, None))
    assert b"CANARY" not in (tmp_path / "out" / "0").read_bytes()


@pytest.mark.parametrize("background", ["#ffffff", "#102030"])
def test_what_is_transparent_shows_the_background_in_a_jpeg(tmp_path: Path, background: str) -> None:
    image = Image.new("RGBA", (80, 80), (200, 0, 0, 0))
    image.paste((200, 0, 0, 128), (40, 0, 80, 80))
    small = one(tmp_path, encoded(image, "PNG"), (40, 40), format="jpeg", background=background, quality=95)
    ground = tuple(bytes.fromhex(background[1:]))
    half = tuple(round((a + b) / 2) for a, b in zip(ground, (200, 0, 0), strict=True))
    assert close(pixel(small, (5, 20)), ground)
    assert close(pixel(small, (33, 20)), half)


@pytest.mark.parametrize("kind", ["png", "webp", "avif"])
def test_transparency_stays_where_the_format_has_it(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGBA", (80, 80), (200, 0, 0, 0))
    image.paste((200, 0, 0, 255), (40, 0, 80, 80))
    small = one(tmp_path, encoded(image, "PNG"), (40, 40), format=kind)
    assert pixel(small, (5, 20))[3] < 8
    assert close(pixel(small, (33, 20)), (200, 0, 0, 255))


def test_hidden_colours_do_not_bleed_into_the_edges(tmp_path: Path) -> None:
    """Under the transparent half lies a green that nobody sees; the red half has no green rim."""
    image = Image.new("RGBA", (80, 80), (0, 255, 0, 0))
    image.paste((200, 0, 0, 255), (33, 0, 80, 80))
    small = one(tmp_path, encoded(image, "PNG"), (10, 10))
    seen = [pixel(small, (x, 5)) for x in range(10)]
    assert max(green for _, green, _, alpha in seen if alpha > 25) < 10


def test_quality_is_felt(tmp_path: Path) -> None:
    for kind in ("jpeg", "webp", "avif"):
        sizes = []
        for quality in (10, 90):
            one(tmp_path, encoded(photo(), "PNG"), (300, None), format=kind, quality=quality)
            sizes.append((tmp_path / "out" / "0").stat().st_size)
        assert sizes[0] * 2 < sizes[1], kind


def test_a_side_that_the_format_cannot_say_is_refused(tmp_path: Path) -> None:
    strip = encoded(Image.new("RGB", (17_000, 2)), "PNG")
    with pytest.raises(Refused, match="WEBP takes no side longer than 16,383 pixels"):
        draw(order(tmp_path, strip, (None, 2), format="webp"), lambda share: None)
