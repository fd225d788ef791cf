"""How a text table separates its cells, told from its head. Standard library alone: the child imports this."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

DELIMITERS = "\t;|,"  # the rarer in prose, the sooner believed
SAMPLE_ROWS = 200
SEP = re.compile(r'"?sep=([^\w"\r\n])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)  # a first line as Excel writes and reads it
COMMA_NUMBER = re.compile(r"(?:^|[^\d,.])-?\d+,\d+(?:[^\d,.]|$)", re.MULTILINE)


def announced(head: str) -> str | None:
    """The delimiter that a first line `sep=;` names."""
    found = SEP.match(head)
    return found[1] if found else None


def delimiter(head: str, quote: str) -> str | None:
    """The delimiter under which most rows are as wide as the first; None when there is one column.

    `head` holds whole lines.
    """
    scores = {mark: _score(head, mark, quote) for mark in DELIMITERS}
    best = max(scores, key=lambda mark: scores[mark])
    return best if scores[best] > (0.0, 0) else None


def has_decimal_commas(head: str) -> bool:
    """Whether some cell looks like 3,50."""
    return COMMA_NUMBER.search(head) is not None


def odd_row(lines: Iterable[str], mark: str, quote: str, skip: int) -> str | None:
    """What is wrong with the first row that is not as wide as the first, as the end of a sentence."""
    rows = csv.reader(islice(lines, skip, None), **_ways(mark, quote), strict=True)
    width, begins = 0, skip + 1
    try:
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                return f"has {len(row)} cells in line {begins:,} and {width} in its first"
            begins = skip + rows.line_num + 1
    except csv.Error:
        return f"has a quote too many or too few in the row that begins in line {begins:,}"
    return None


def _ways(mark: str, quote: str) -> dict[str, Any]:
    return {"delimiter": mark, "quotechar": quote or None, "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE}


def _score(head: str, mark: str, quote: str) -> tuple[float, int]:
    """The share of rows that are as wide as the first, and that width; nothing when the first is one cell."""
    try:
        rows = csv.reader(head.splitlines(keepends=True), **_ways(mark, quote))
        widths = [len(row) for row in islice(rows, SAMPLE_ROWS) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]
