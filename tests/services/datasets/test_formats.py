"""Which format a file is in: its content wins over its name."""

from __future__ import annotations

import pytest

from webapi.errors import Invalid
from webapi.services.datasets.formats import told


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"a,b\n", "x.csv", "csv"),
        (b"a,b\n", "x.xlsx", "csv"),
        (b"a,b\n", "x", "csv"),
        (b"a\tb\n", "x.TSV", "tsv"),
        (b"a\tb\n", "x.tab", "tsv"),
        (b"[1]", "x.json", "json"),
        (b'{"a":1}', "x.jsonl", "ndjson"),
        (b'\xef\xbb\xbf {"a":1}', "x.log", "ndjson"),
        (b"[1]", "x", "json"),
        (b"PAR1....", "x.csv", "parquet"),
        (b"PK\x03\x04....", "x.csv", "xlsx"),
        (b"", "x.csv", "csv"),
    ],
)
def test_the_format_is_told(content: bytes, name: str, expected: str) -> None:
    assert told(content, name) == expected


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"\x89PNG\r\n", "x.csv", "The file holds a PNG picture."),
        (b"%PDF-1.7", "x.xlsx", "The file holds a PDF document."),
        (b"\x1f\x8b\x08", "x.csv", "The file holds a gzip archive; unpack it first."),
        (b"\xd0\xcf\x11\xe0", "x.xlsx", "The file holds an old or a protected workbook;"),
        (b"a,b\n", "x.parquet", "The file is called .parquet but holds none."),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, name: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        told(content, name)
    assert caught.value.message.startswith(sentence)
