"""A table with a value of every kind, and odd text, for the tests of all formats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from webapi.services.formats import Chart, Column, Format, Heading, Written, write

COLUMNS = [
    Column("id", "integer"),
    Column("Größe €", "text"),
    Column("price", "number"),
    Column("ratio", "number"),
    Column("open", "boolean"),
    Column("day", "date"),
    Column("at", "datetime"),
    Column("=note", "text"),
]
NOTES = ("=1+1", 'a, "b"\nc', "<b>&amp;</b>", "#strong[x] $a$ *b* \\", None, "Ωμέγα Жук", "http://example.com/")
# Controls, NUL, lone surrogates, right to left, beyond 16 bits, and what each format would take for its own.
ODD = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.text(
        st.sampled_from("\x00\x01\x0b\x1b\r\n\t\x7f\x85\u2028\u200b\u202e\ufeff\ufffe\uffffאب漢😀\ud800\udc00"),
        max_size=12,
    ),
    st.sampled_from(
        ["=1+1", "+1", "-1", "@a", "{=1}", "_x0041_", "%s %d %", '"', "'", "\\", "]]>", "#a $b$", "%%", "{}"]
    ),
)


def rows(count: int) -> Iterator[list[Any]]:
    for n in range(count):
        moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=37 * n, microseconds=n)
        price = Decimal(n * 7919 % 900_000 - 50_000) / 100
        yield [
            n,
            f"näme {n}",
            price,
            n / 7 - 3,
            n % 3 == 0,
            date(2024, 1, 1) + timedelta(days=n % 700),
            moment,
            NOTES[n % 7],
        ]


def heading(chart: Chart | None = None, locale: str = "en", title: str = "Sales & <more>") -> Heading:
    return Heading(title, {"Region": "=1+1 <all>"}, datetime(2026, 11, 21, 9, 0, 0, 5, UTC), locale, chart)


def written(path: Path, file_format: Format, count: int, chart: Chart | None = None, locale: str = "en") -> Written:
    return write(path, file_format, heading(chart, locale), COLUMNS, rows(count))


def odd(path: Path, file_format: Format, text: str, name: str = "text") -> Written:
    """The text everywhere: in a cell, a name, the title, a parameter and a chart."""
    about = Heading(text, {text: text}, datetime(2026, 1, 1, tzinfo=UTC), chart=Chart("bar", name, ("n",)))
    return write(path, file_format, about, [Column(name, "text"), Column("n", "integer")], [[text, 1], [text, 2]])
