"""Texts of DuckDB, out of the locked process, as those of CSV. Nothing but what a column may hold gets through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, cast

from webapi.errors import Permanent
from webapi.services.formats import Block, Column, Type
from webapi.services.formats.moments import dates, moments, zoned
from webapi.services.formats.texts import Texts, texts_of
from webapi.services.queries.run import Result

LETTERS = {
    "integer": b"0123456789-",
    "number": b"0123456789-+.einfa",  # with nan and inf
    "boolean": b"truefalse",
    "date": b"0123456789-",
    "datetime": b"0123456789-+:. ",
}


def columns_of(result: Result) -> list[Column]:
    """The columns of a query's result."""
    found = zip(result.columns, result.floats, strict=True)
    return [Column(name, cast(Type, kind), floats) for (name, kind), floats in found]


def blocks(columns: list[Column], found: Iterable[Texts]) -> Iterator[Block]:
    """The blocks of a query's result. Raises ValueError for a value that its column cannot hold."""
    for texts in found:
        yield Block([_taken(*pair) for pair in zip(columns, texts, strict=True)], len(texts[0]))


def _taken(column: Column, texts: Texts) -> Texts:
    if column.type == "text":
        return texts
    texts = [text or b"" for text in texts] if None in texts else texts
    odd = b"".join(texts).translate(None, LETTERS[column.type])
    if column.type in ("date", "datetime"):
        return (None if odd else BULK[column.type](texts)) or _one_by_one(column, texts)
    if odd:
        raise Permanent("The query's process broke off.")
    return texts


def _moments(texts: Texts) -> Texts | None:
    return zoned(texts) if _any_zone(texts) else moments(texts)


def _any_zone(texts: Texts) -> bool:
    """Whether the first moment has an offset. All of a column have one, or none."""
    first: bytes = next(filter(None, texts), b"")
    return b"+" in first or b"-" in first[19:]


def _one_by_one(column: Column, texts: Texts) -> Texts:
    make = date.fromisoformat if column.type == "date" else datetime.fromisoformat
    return texts_of(column, [_made(make, text.decode()) for text in texts])


def _made(make: Any, text: str) -> Any:
    try:
        return make(text) if text else None
    except ValueError:  # a date that Python does not know
        return text


BULK = {"date": dates, "datetime": _moments}
