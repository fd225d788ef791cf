"""Any pixels to 8-bit sRGB, grey or colour, with or without transparency."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

from .order import Refused

LARGEST_PROFILE = 8 * 1024 * 1024  # bytes; those of printing presses have 3 MB
SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}  # as profiles name them, four letters each
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def to_srgb(image: Image.Image, name: str) -> Image.Image:
    """The picture as L, LA, RGB or RGBA in sRGB. Raises Refused for what has no defined black and white."""
    profile = _profile(image.info.get("icc_profile"))
    image = _eight_bits(image, name)
    alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
    colours = image.convert(image.mode[:-1]) if alpha else image
    if profile is not None and SPACES.get(colours.mode) == profile.profile.xcolor_space:
        grey = colours.mode == "L"
        colours = _converted(colours, profile)
        colours = colours.convert("L") if grey else colours
    elif colours.mode == "LAB":
        colours = _converted(colours, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if colours.mode == "CMYK":
        colours = colours.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """In sRGB; as it is, where the profile turns out to be of no use."""
    try:
        converted = ImageCms.profileToProfile(image, profile, SRGB, outputMode="RGB")
    except ImageCms.PyCMSError:
        return image
    return converted or image


def _profile(data: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """The embedded profile, if it can be read and says something: a picture without one counts as sRGB."""
    if not data or len(data) > LARGEST_PROFILE:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
    except OSError:
        return None
    return None if "sRGB" in (profile.profile.profile_description or "") else profile


def _eight_bits(image: Image.Image, name: str) -> Image.Image:
    """The same colours in a mode that this module knows."""
    if image.mode in {"L", "RGB", "CMYK", "LAB"} and not image.has_transparency_data:
        return image
    if image.mode in {"LA", "RGBA"}:
        return image
    if image.mode.startswith("I;16"):  # Pillow's own way to L cuts off what is brighter than 255
        return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.mode in {"I", "F"}:
        raise Refused(f"{name} has 32 bits for each pixel and does not say which is white. Save it with 8 or 16.")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")
