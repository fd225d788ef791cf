"""Dates and moments as databases write them, as ISO 8601 has them: a column at a time.

PostgreSQL and DuckDB write alike. Each function gives None when something is out of the ordinary, such as a year that
has not four digits: then Python's own types are for it.
"""

from __future__ import annotations

from webapi.services.formats.texts import Texts

SECONDS, FRACTION, OFFSET = 19, 7, 3  # characters of a moment as far as its seconds, of .123456, and of +00


def dates(texts: Texts) -> Texts | None:
    return texts if set(map(len, texts)) <= {0, 10} else None


def moments(texts: Texts) -> Texts | None:
    """2026-01-31 10:00:00.25 becomes 2026-01-31T10:00:00.250000."""
    found = _even(texts, 0)
    return found and b",".join(found).replace(b" ", b"T").split(b",")


def zoned(texts: Texts) -> Texts | None:
    """2026-01-31 10:00:00+00 becomes 2026-01-31T10:00:00+00:00. Offsets with minutes go one by one."""
    joined = b",".join(texts)
    there = joined.count(b" ")
    found = _even(texts, OFFSET) if joined.count(b":") == 2 * there else None
    if not found:
        return None
    whole = (b",".join(found).replace(b" ", b"T").replace(b",", b":00,") + b":00").split(b",")
    return whole if there == len(texts) else [text if len(text) > OFFSET else b"" for text in whole]


def _even(texts: Texts, offset: int) -> Texts | None:
    """The moments with no digit of their fraction or all six; None when a year has not four digits, or none at all."""
    whole = SECONDS + offset
    lengths = set(map(len, texts))
    if lengths == {whole}:
        return texts
    if not {text[4:5] for text in texts} <= {b"-", b""} or b"C" in b"".join(texts):  # as in BC
        return None
    if not lengths - {0, whole, whole + FRACTION}:
        return texts
    return [text if len(text) in (0, whole) else _filled(text, offset) for text in texts]


def _filled(text: bytes, offset: int) -> bytes:
    end = len(text) - offset
    return text[:end].ljust(SECONDS + FRACTION, b"0") + text[end:]
