"""Which encoding a text file is in, and a copy of it in UTF-8. Standard library alone: the child imports this."""

from __future__ import annotations

import codecs
from pathlib import Path

from .sources import Refusal

BLOCK = 1 << 20  # bytes
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Bytes that Windows-1252 means as letters, quotes and dashes, and that Latin-1 leaves to control characters.
WINDOWS = bytes(range(0x80, 0xA0))
UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}  # in Windows-1252


def detect(path: Path) -> str:
    """utf-8, utf-8-sig, utf-16, utf-16-le, utf-16-be, windows-1252 or latin-1. Refusal when it is no text."""
    with path.open("rb") as file:
        head = file.read(4096)
    if found := next((name for bom, name in BOMS.items() if head.startswith(bom)), None):
        return found
    if b"\0" in head:
        return _wide(head)
    decoder, seen, utf8 = codecs.getincrementaldecoder("utf-8")(), set[int](), True
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if b"\0" in block:
                raise Refusal("holds bytes that are no text")
            try:
                utf8 = utf8 and decoder.decode(block) is not None
            except UnicodeDecodeError:
                utf8 = False
            seen.update(set(block) & set(WINDOWS))
    if utf8 and not decoder.getstate()[0]:
        return "utf-8"
    return "windows-1252" if seen and not seen & UNDEFINED else "latin-1"


def to_utf8(path: Path, encoding: str, copy: Path) -> None:
    """Write a copy in UTF-8, block by block. Refusal when the file is not in that encoding."""
    try:
        with path.open(encoding=encoding, newline="") as file, copy.open("w", encoding="utf-8", newline="") as out:
            while block := file.read(BLOCK):
                out.write(block)
    except LookupError:
        raise Refusal(f"cannot be read as {encoding!r}, which is no encoding") from None
    except UnicodeError:
        raise Refusal(f"is not in the encoding {encoding}") from None


def _wide(head: bytes) -> str:
    """UTF-16 without a mark has its zeros on one side of most letters."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and not even:
        return "utf-16-le"
    if even > len(head) // 8 and not odd:
        return "utf-16-be"
    raise Refusal("holds bytes that are no text")
