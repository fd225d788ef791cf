"""Rows as texts, column by column, on their way from the child: no value is quoted or parsed.

Standard library alone: the child imports this.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

BETWEEN = "\0"
Packed = list[list[bytes | None]]


def packed(rows: Sequence[Sequence[str | None]]) -> bytes:
    """Rows of texts as bytes: how long each column is and where its nulls are, and then the columns."""
    heads: list[object] = []
    columns = []
    for values in zip(*rows, strict=True):
        try:
            nulls, joined = [], BETWEEN.join(values)
        except TypeError:
            nulls = [number for number, value in enumerate(values) if value is None]
            joined = BETWEEN.join([value or "" for value in values])
        if joined.count(BETWEEN) != len(values) - 1:  # one that has it itself
            heads.append(values)
            continue
        columns.append(joined.encode())
        heads.append({"length": len(columns[-1]), "nulls": nulls})
    head = json.dumps(heads, ensure_ascii=False, separators=(",", ":")).encode()
    return len(head).to_bytes(4, "big") + head + b"".join(columns)


def unpacked(body: bytes, width: int) -> Packed:
    """The texts of each column, and None for null. ValueError for what `packed` does not make of so many columns."""
    at = 4 + int.from_bytes(body[:4], "big")
    heads = json.loads(body[4:at])
    columns: Packed = []
    for head in heads:
        if isinstance(head, list):
            columns.append([None if text is None else text.encode() for text in head])
            continue
        joined = body[at : at + head["length"]]
        at += head["length"]
        if not joined.isascii():
            joined.decode()  # nothing but UTF-8 gets into a file
        texts: list[bytes | None] = list(joined.split(BETWEEN.encode()))
        for number in head["nulls"]:
            texts[number] = None
        columns.append(texts)
    if len(columns) != width or len(set(map(len, columns))) != 1 or at != len(body):
        raise ValueError("not a block")
    return columns
