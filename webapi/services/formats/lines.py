"""CSV out of texts, a column at a time; byte for byte what `delimited.py` writes of the same values."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from webapi.services.formats.cells import FORMULA
from webapi.services.formats.delimited import names
from webapi.services.formats.table import Heading, Written
from webapi.services.formats.texts import Blocks, Texts

QUOTED = re.compile(rb'[",\r\n]')
BEGINS = tuple(sorted(letter.encode() for letter in FORMULA))
# For one search instead of one for each beginning: their first bytes look alike. NUL stands between the texts.
ALIKE = bytes(ord("=") if any(begin[0] == byte for begin in BEGINS) and byte else byte for byte in range(256))


def write_csv_of_texts(path: Path, heading: Heading, blocks: Blocks) -> Written:
    """What `write_csv` writes."""
    head = io.StringIO(newline="")
    csv.writer(head).writerow(names(blocks.columns))
    textual = [column.type == "text" for column in blocks.columns]
    between = [b","] * (len(textual) - 1) + [b"\r\n"]
    with path.open("wb") as file:
        file.write(head.getvalue().encode())
        for block in blocks:
            columns = [_fields(texts) if each else texts for each, texts in zip(textual, block.columns, strict=True)]
            if len(columns) == 1:  # an empty line would be no row
                columns = [[text or b'""' for text in columns[0]]]
            file.write(lines(columns, between, block.rows))
    return blocks.written()


def _fields(texts: Texts) -> Texts:
    """Texts quoted and kept from being formulas, if a few searches in all of them at once find any that needs it."""
    try:
        joined = b"\0" + b"\0".join(texts)
    except TypeError:  # a null; so it costs nothing where there is none
        texts = [text or b"" for text in texts]
        joined = b"\0" + b"\0".join(texts)
    odd = any(special in joined for special in (b'"', b",", b"\r", b"\n"))
    if odd or joined.count(b"\0") > len(texts) or b"\0=" in joined.translate(ALIKE):
        return list(map(_field, texts))
    return texts


def _field(text: bytes) -> bytes:
    if text.startswith(BEGINS):
        text = b"'" + text
    return b'"' + text.replace(b'"', b'""') + b'"' if QUOTED.search(text) else text


def lines(columns: list[Texts], between: list[bytes], rows: int) -> bytes:
    """The fields row by row, with what stands behind each of a row."""
    width = 2 * len(columns)
    pieces = [b""] * (width * rows)
    for position, (texts, separator) in enumerate(zip(columns, between, strict=True)):
        pieces[2 * position :: width] = texts
        pieces[2 * position + 1 :: width] = [separator] * rows
    return b"".join(pieces)
