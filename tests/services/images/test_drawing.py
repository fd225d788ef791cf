"""All sizes of a picture: still ones and moving ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageSequence, ImageStat

from tests.services.images.pictures import CORNERS, close, corners, drawn, encoded, one, order, photo, pixel
from webapi.services.images.drawing import draw
from webapi.services.images.order import Limits, Refused

COLOURS = list(CORNERS.values())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
def test_every_format_is_read_and_kept(tmp_path: Path, kind: str) -> None:
    facts, images = drawn(tmp_path, encoded(photo(), kind), (300, None), (90, 90))
    assert [image.size for image in images] == [(300, 200), (90, 60)]
    kept = kind if kind not in {"TIFF", "BMP"} else "PNG"
    assert [image.format for image in images] == [kept, kept]
    assert facts["source"] == {"format": kind.lower(), "width": 600, "height": 400}
    assert all(corners(image) == list(CORNERS) for image in images)


@pytest.mark.parametrize("made", ["jpeg", "png", "webp", "avif"])
def test_a_small_picture_looks_like_the_large_one(tmp_path: Path, made: str) -> None:
    small = one(tmp_path, encoded(photo((800, 600)), "PNG"), (200, 150), format=made, quality=92)
    wanted = photo_of(tmp_path / "source").resize((200, 150), Image.Resampling.LANCZOS)
    assert ImageStat.Stat(ImageChops.difference(small.convert("L"), wanted.convert("L"))).rms[0] < 4


def photo_of(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def test_a_huge_jpeg_read_smaller_looks_the_same(tmp_path: Path) -> None:
    content = encoded(photo((4000, 3000)), "JPEG", quality=95)
    small = one(tmp_path, content, (200, 150), format="png")
    wanted = photo_of(tmp_path / "source").resize((200, 150), Image.Resampling.LANCZOS)
    assert max(ImageStat.Stat(ImageChops.difference(small, wanted)).rms) < 4


@pytest.mark.parametrize("mode", ["fit", "cover", "exact"])
def test_the_mode_is_kept(tmp_path: Path, mode: str) -> None:
    small = one(tmp_path, encoded(photo(), "PNG"), (200, 200), mode=mode)
    assert small.size == {"fit": (200, 133), "cover": (200, 200), "exact": (200, 200)}[mode]
    assert corners(small) == list(CORNERS), "cover loses a sixth at each side, of which a corner has a quarter"


def test_sizes_that_come_to_the_same_are_made_once(tmp_path: Path) -> None:
    facts, images = drawn(tmp_path, encoded(photo(), "PNG"), (9000, None), (300, 200), (None, 8000), (300, None))
    assert [image.size for image in images] == [(600, 400), (300, 200)]
    assert facts["of_sizes"] == [0, 1, 0, 1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(tmp_path: Path, orientation: int, kind: str) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    image = photo() if orientation == 1 else photo().transpose(back[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    facts, (small,) = drawn(tmp_path, encoded(image, kind, exif=exif), (60, 60))
    assert (facts["source"]["width"], facts["source"]["height"]) == (600, 400)
    assert small.size == (60, 40)
    assert corners(small) == list(CORNERS)
    assert not dict(small.getexif())


def film(clear: bool = False) -> list[Image.Image]:
    """Four frames; a bar of another colour moves to the right, over nothing or over grey."""
    frames = []
    for number, colour in enumerate(COLOURS):
        frame = Image.new("RGBA", (80, 40), (0, 0, 0, 0) if clear else (90, 90, 90, 255))
        frame.paste((*colour, 255), (20 * number, 0, 20 * number + 20, 40))
        frames.append(frame if clear else frame.convert("RGB"))
    return frames


def moving(kind: str, *, clear: bool = False, **options: object) -> bytes:
    first, *rest = film(clear)
    if clear and kind == "WEBP":  # else no part is transparent by itself, and libwebp calls the whole opaque
        for frame in (first, *rest):
            frame.putalpha(frame.getchannel("A").point(lambda value: min(value, 254)))
    options = {"duration": [100, 200, 300, 400], "loop": 0, "disposal": 2} | options
    if kind == "WEBP":
        options["lossless"] = True
    return encoded(first, kind, save_all=True, append_images=rest, **options)


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
@pytest.mark.parametrize("made", ["keep", "webp"])
def test_an_animation_keeps_its_frames_and_their_times(tmp_path: Path, kind: str, made: str, clear: bool) -> None:
    facts, (small,) = drawn(tmp_path, moving(kind, clear=clear), (40, None), format=made, quality=95)
    assert (facts["frames"], facts["first_frame_only"], small.size) == (4, False, (40, 20))
    times = []
    for number, frame in enumerate(ImageSequence.Iterator(small)):
        seen = frame.convert("RGBA")
        times.append(frame.info["duration"])
        assert close(pixel(seen, (10 * number + 5, 10)), (*COLOURS[number], 255), by=40)
        other = pixel(seen, ((10 * number + 25) % 40, 10))
        assert other[3] == 0 if clear else close(other, (90, 90, 90, 255), by=20), f"frame {number} shines through"
    assert times == [100, 200, 300, 400]


def test_an_animation_of_opaque_parts_stays_transparent_between_them(tmp_path: Path) -> None:
    small = one(tmp_path, moving("GIF", clear=True), (80, 40), format="webp")
    assert [pixel(small, (x, 20))[3] for x in (10, 30, 50, 70)] == [255, 0, 0, 0]


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_frames_of_any_disposal_are_drawn_as_they_are_seen(tmp_path: Path, disposal: int) -> None:
    content = moving("GIF", clear=True, disposal=disposal)
    _, (small,) = drawn(tmp_path, content, (80, 40))
    with Image.open(tmp_path / "source") as source:
        for wanted, got in zip(ImageSequence.Iterator(source), ImageSequence.Iterator(small), strict=True):
            difference = ImageChops.difference(wanted.convert("RGBA"), got.convert("RGBA"))
            assert max(ImageStat.Stat(difference.getchannel("A")).extrema[0]) == 0


def test_how_often_it_plays_is_kept(tmp_path: Path) -> None:
    """A GIF counts repetitions, a WebP counts plays, and none at all is once in one and for ever in the other."""
    for gif_loop, webp_loop in [(0, 0), (2, 3), (None, 1)]:
        options = {} if gif_loop is None else {"loop": gif_loop}
        first, *rest = film()
        content = encoded(first, "GIF", save_all=True, append_images=rest, duration=100, **options)
        assert one(tmp_path, content, (40, None)).info.get("loop") == gif_loop
        as_webp = one(tmp_path, content, (40, None), format="webp")
        assert as_webp.info["loop"] == webp_loop
        content = moving("WEBP", loop=webp_loop)
        assert one(tmp_path, content, (40, None)).info["loop"] == webp_loop


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("GIF", "jpeg"),
        ("GIF", "avif"),
        ("WEBP", "png"),
        ("PNG", "keep"),
        ("PNG", "webp"),
        ("TIFF", "keep"),
        ("AVIF", "keep"),
    ],
)
def test_where_an_animation_cannot_be_kept_the_first_frame_is_and_that_is_said(
    tmp_path: Path, kind: str, made: str
) -> None:
    options = {"loop": 0, "duration": 100} if kind != "TIFF" else {}
    first, *rest = film()
    content = encoded(first, kind, save_all=True, append_images=rest, **options)
    facts, (small,) = drawn(tmp_path, content, (40, None), format=made)
    assert (facts["frames"], facts["first_frame_only"]) == (1, True)
    assert not getattr(small, "is_animated", False)
    assert close(pixel(small.convert("RGB"), (5, 10)), COLOURS[0], by=40)


def test_all_that_is_written_counts(tmp_path: Path) -> None:
    content = encoded(photo((10, 10)), "PNG")
    asked = order(tmp_path, content, (10_000, 9_000), (5_000, 5_000), mode="exact")
    with pytest.raises(Refused, match="All sizes together would have more than 100 million pixels"):
        draw(asked, lambda share: None)
    asked = order(tmp_path, moving("GIF"), (80, 40), limits=Limits(pixels=80 * 40 * 4 - 1))
    with pytest.raises(Refused, match="million pixels"):
        draw(asked, lambda share: None)


def test_what_is_done_only_grows(tmp_path: Path) -> None:
    shares: list[float] = []
    draw(order(tmp_path, moving("GIF"), (40, None), (20, None)), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
