"""PostgreSQL's own text of values as the texts of CSV, a column at a time: what differs is replaced in all at once.

Whatever is out of the ordinary in a column (a year before Christ, NaN, an array) goes through psycopg and Python's
types instead, so that it becomes what it is in a row, or the same error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import Format

from webapi.services.formats import Column
from webapi.services.formats.moments import dates, moments, zoned
from webapi.services.formats.texts import Texts, texts_of
from webapi.services.reports.fetching import told

BOOLEANS = {b"t": b"true", b"f": b"false", b"": b""}
LONGEST = 40  # characters of a numeric that has no exponent in Python either
ALONE = {"text", "varchar", "bpchar", "name", "json", "jsonb", "uuid"}  # what is a text in Python too
Convert = Callable[[Texts], Texts | None]  # None: one by one


def readable(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server's texts are as this module expects them."""
    said = connection.info.parameter_status
    encodings = said("client_encoding"), said("server_encoding")
    return encodings[0] == "UTF8" and encodings[1] != "SQL_ASCII" and (said("DateStyle") or "").startswith("ISO")


@dataclass(frozen=True)
class Converter:
    """What turns PostgreSQL's texts of a column into ours. It takes and gives None for null where `nullable`, and an
    empty text in the other columns.
    """

    nullable: bool
    convert: Callable[[Texts], Texts]


def converter(connection: psycopg.Connection[Any], column: Column, oid: int, type_name: str) -> Converter:
    """The one for a column whose type PostgreSQL calls `type_name`."""
    if type_name in ALONE:
        return Converter(True, _same)
    load = Transformer(connection).get_loader(oid, Format.TEXT).load
    if column.type == "text":
        return Converter(
            True, lambda texts: texts_of(column, [None if text is None else told(load(text)) for text in texts])
        )
    bulk = BULK[type_name]

    def convert(texts: Texts) -> Texts:
        converted = bulk(texts)
        return texts_of(column, [load(text) if text else None for text in texts]) if converted is None else converted

    return Converter(False, convert)


def _same(texts: Texts) -> Texts:
    return texts


def _booleans(texts: Texts) -> Texts:
    return list(map(BOOLEANS.__getitem__, texts))


def _numerics(texts: Texts) -> Texts | None:
    """Plain digits. NaN, infinity and very long ones are spelt otherwise."""
    plain = max(map(len, texts)) <= LONGEST and not b"".join(texts).translate(None, b"0123456789.-")
    return texts if plain else None


def _floats(texts: Texts) -> Texts:
    """Python's shortest form has a point in a whole number, and an exponent from 1e16 on instead of 1e15."""
    joined = b",".join(texts)
    if joined.translate(None, b"0123456789.-,"):
        return [repr(float(text)).encode() if text else text for text in texts]
    if joined.count(b".") == len(texts):
        return texts
    return [text if b"." in text or not text else text + b".0" for text in texts]


BULK: dict[str, Convert] = {
    "bool": _booleans, "int2": _same, "int4": _same, "int8": _same, "oid": _same,
    "numeric": _numerics, "float4": _floats, "float8": _floats,
    "date": dates, "timestamp": moments, "timestamptz": zoned,
}  # fmt: skip
