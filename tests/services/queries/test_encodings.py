"""Encodings are told from the bytes of the whole file."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapi.services.queries.encodings import BLOCK, detect, to_utf8
from webapi.services.queries.sources import Refusal

TEXT = "name;stadt\nZoë;Köln\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("latin-1"), "latin-1"),
        ((TEXT + "5 €, “so”").encode("cp1252"), "windows-1252"),
        (TEXT.encode("latin-1") + b"\x81\x93", "latin-1"),
        (b"a" * (BLOCK - 1) + "é".encode(), "utf-8"),  # a letter across two blocks
        (b"a" * BLOCK + b"\xe9", "latin-1"),
        ("é".encode()[:1], "latin-1"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert detect(path) == encoding
    copy = tmp_path / "copy"
    to_utf8(path, encoding, copy)
    assert copy.read_bytes().decode() == content.decode(encoding)


@pytest.mark.parametrize("content", [b"\0\0\0\0", bytes(range(256)) * 20, b"a" * 5000 + b"\0"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Refusal, match="no text"):
        detect(path)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "klingon", "hex", "utf-16"])
def test_a_wrong_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xe9\xe8a")
    with pytest.raises(Refusal, match="encoding"):
        to_utf8(path, encoding, tmp_path / "copy")
