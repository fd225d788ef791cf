"""Blocks on their way into Parquet: a scratch file of CSV that tells null from empty, and what types fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from webapi.services.formats.batches import Batches
from webapi.services.formats.lines import lines
from webapi.services.formats.shapes import Shape
from webapi.services.formats.table import Column, plain
from webapi.services.formats.texts import Block, Blocks, Texts, texts_of

SHORTEST_LINE = 2 << 20  # bytes that the reader of CSV has room for at the least


@dataclass
class Staged:
    """`longest` is the most bytes that a line can have, `widest` the most that those of a block have on average."""

    path: Path
    longest: int = SHORTEST_LINE
    widest: int = 0


def stage(path: Path, shapes: list[Shape], batches: Batches | Blocks) -> Staged:
    """Write the rows to a scratch file."""
    textual, staged = [shape.kind == "text" for shape in shapes], Staged(path)
    with path.open("wb") as file:
        for block in _blocks(shapes, batches):
            for shape, texts in zip(shapes, block.columns, strict=True):
                shape.see(texts)
            content = _content(block, textual)
            file.write(content)
            staged.widest = max(staged.widest, len(content) // block.rows)
            if len(content) > SHORTEST_LINE:
                staged.longest = max(staged.longest, _longest(block))
    return staged


def _blocks(shapes: list[Shape], batches: Batches | Blocks) -> Iterator[Block]:
    if isinstance(batches, Blocks):
        yield from batches
        return
    for batch in batches:
        for shape, values in zip(shapes, batch, strict=True):
            shape.floats = shape.floats or (shape.kind == "number" and float in set(map(type, values)))
        yield Block(list(map(_texts, batches.columns, batch)), len(batch[0]))


def _texts(column: Column, values: list[Any]) -> Texts:
    if column.type != "datetime":
        return texts_of(column, values)
    return [b"" if value is None else _moment(value) for value in values]


def _moment(value: Any) -> bytes:
    """In UTC, so that a column of moments with and without a zone has one sense."""
    zone = "" if value.tzinfo is None else "+00:00"
    return (plain(value).isoformat() + zone).encode()


def _content(block: Block, textual: list[bool]) -> bytes:
    """The lines of a block. Texts are quoted, so that an empty one is no null; where none is null and none has a quote
    that is done by what stands between them.
    """
    columns, bare = [], []
    for texts, each in zip(block.columns, textual, strict=True):
        easy = each and _easy(texts)
        columns.append([_quoted(text) for text in texts] if each and not easy else texts)
        bare.append(b'"' if easy else b"")
    between = [end + b"," + begin for end, begin in pairwise(bare)]
    content = bare[0] + lines(columns, [*between, bare[-1] + b"\n" + bare[0]], block.rows)
    return content[:-1] if bare[0] else content


def _easy(texts: Texts) -> bool:
    try:
        return b'"' not in b"".join(texts)
    except TypeError:  # a null
        return False


def _quoted(text: bytes | None) -> bytes:
    return b"" if text is None else b'"' + text.replace(b'"', b'""') + b'"'


def _longest(block: Block) -> int:
    return sum(2 * max(len(text or b"") for text in texts) + 3 for texts in block.columns)
