"""What the child process is asked for; it travels as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """What one picture may cost. The figures of the process are the kernel's to hold, the others ours."""

    memory: int = 1536 * 1024 * 1024  # bytes of address space
    cpu: int = 180  # seconds
    file: int = 256 * 1024 * 1024  # bytes of one file that is written
    files: int = 64  # open at once
    pixels: int = 100_000_000  # of all frames together; read, and again written
    frames: int = 1000


@dataclass(frozen=True)
class Order:
    """One picture in several sizes. In a size, a side that is None follows from the other one.

    `name` is the picture's name in sentences, `folder` the place for what is drawn, one file for each
    size that comes out, named 0, 1, 2 and so on.
    """

    source: str
    folder: str
    name: str
    sizes: list[tuple[int | None, int | None]]
    mode: str = "fit"
    format: str = "keep"
    quality: int = 82
    background: str = "#ffffff"
    enlarge: bool = False
    limits: Limits = field(default_factory=Limits)


class Refused(Exception):
    """This picture cannot be had so, however often it is tried. The text is a sentence for its owner."""
