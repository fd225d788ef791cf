"""The figures that a column has, as expressions of SQL: each a name and an aggregate over all rows.

Three passes: what the second asks depends on the first's answers (the ends of a histogram), and the third's on the
second's (the fences beyond which a value is an outlier).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from webapi.services.processing import dates
from webapi.services.processing.columns import Column
from webapi.services.processing.shown import LONGEST
from webapi.services.queries.calls import quoted

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 20  # at most
TOP = 5
SAFE = 1e100  # squares of numbers between this and its inverse are numbers still, and so are their sums
FENCE = 1.5  # interquartile ranges beyond the quartiles: J. W. Tukey, Exploratory Data Analysis, 1977
Figures = list[tuple[str, str]]
Found = Mapping[str, Any]


def overview(column: Column) -> Figures:
    """What every column has, and its ends. Numbers and moments that are not finite are counted apart."""
    x, kind = column.name, column.kind
    figures = [("values", f"count({x})"), ("estimate", f"approx_count_distinct({x})")]
    if kind == "text":
        ends = f"left({x}, {LONGEST + 1})"
        return [
            *figures, ("empty", f"count(*) FILTER (WHERE {x} = '')"), ("min", f"min({ends})"), ("max", f"max({ends})"),
            ("shortest", f"min(length({x}))"), ("longest", f"max(length({x}))"),
        ]  # fmt: skip
    if kind == "boolean":
        return [*figures, ("true", f"count(*) FILTER (WHERE {x})")]
    finite = _finite(column)
    figures += [("min", f"min({x}) FILTER ({finite})"), ("max", f"max({x}) FILTER ({finite})")]
    number = f"{x}::DOUBLE" if kind in {"integer", "number"} else x
    if kind != "integer":
        figures += [("nan", f"count(*) FILTER (WHERE isnan({number}))")] if kind == "number" else []
        figures += [(sign, f"count(*) FILTER (WHERE isinf({number}) AND {x} {than})") for sign, than in _signs(column)]
    return figures


def spread(column: Column, found: Found, *, exact: bool) -> Figures:
    """Mean, deviation, quantiles, histogram; of texts of which too many differ, those that look the most frequent."""
    x, kind = column.name, column.kind
    figures: Figures = []
    if kind == "text" and not exact and not few(found):
        figures.append(("common", f"approx_top_k(left({x}, {LONGEST + 1}), {TOP})"))
    if found.get("min") is None or kind in {"text", "boolean"}:
        return figures
    finite = _finite(column)
    if kind in {"date", "datetime"}:
        cut = dates.unit(found["min"], found["max"])
        if cut:
            figures.append(("histogram", f"histogram({dates.key(cut, column)}) FILTER ({finite})"))
        return figures
    y = f"({x}::DOUBLE * {scale(found)!r})"
    quantiles = "quantile_cont" if exact else "approx_quantile"
    edges = ", ".join(f"{edge!r}::DOUBLE" for edge in edges_of(found, kind)[1:])
    return [
        *figures,
        ("mean", f"avg({y}) FILTER ({finite})"),
        ("std", f"stddev_samp({y}) FILTER ({finite})"),
        ("quantiles", f"{quantiles}({y}, {list(QUANTILES)}) FILTER ({finite})"),
        ("histogram", f"map_values(histogram({x}::DOUBLE, [{edges}]) FILTER ({finite}))"),
    ]


def outliers(column: Column, found: Found) -> Figures:
    """How many numbers lie beyond Tukey's fences, and the farthest of them; how often the common texts are there."""
    x = column.name
    common = [
        (f"common{i}", f"count(*) FILTER (WHERE left({x}, {LONGEST + 1}) = {quoted(text)})")
        for i, text in enumerate(found.get("common") or ())
    ]
    if "fences" not in found:
        return common
    low, high = found["fences"]
    number, finite = f"{x}::DOUBLE", _finite(column)
    return [
        ("below", f"count(*) FILTER ({finite} AND {number} < {low!r}::DOUBLE)"),
        ("above", f"count(*) FILTER ({finite} AND {number} > {high!r}::DOUBLE)"),
        ("lowest", f"min({number}, 3) FILTER ({finite} AND {number} < {low!r}::DOUBLE)"),
        ("highest", f"max({number}, 3) FILTER ({finite} AND {number} > {high!r}::DOUBLE)"),
    ]


def tops(numbered: Sequence[tuple[int, Column]]) -> str:
    """In SQL, out of `t`: of each column (c) the number of different values (d) and the most frequent ones (t).

    All in one pass that can be spilled to the disk. A long text is counted by its head and its MD5.
    """
    longest, keys = LONGEST + 1, ", ".join(_key(column) for _, column in numbered)
    cells = f"SELECT unnest({[number for number, _ in numbered]}) AS c, unnest([{keys}]) AS v FROM t"  # noqa: S608 # nosec B608 - our names
    counted = f"SELECT c, v, count(*) AS n FROM ({cells}) WHERE v IS NOT NULL GROUP BY c, v"  # noqa: S608 # nosec B608 - our names
    first = f"min({{'n': -n, 'v': left(v, {longest})}}, {TOP})"
    tops = f"SELECT c, count(*) AS d, {first} AS t FROM ({counted}) GROUP BY c"  # noqa: S608 # nosec B608 - our names
    return f"(SELECT list({{'c': c, 'd': d, 't': t}}) FROM ({tops}))"  # noqa: S608 # nosec B608 - our names


def _key(column: Column) -> str:
    text = f"({column.name} + 0)::VARCHAR" if column.kind == "number" else column.text  # 0 and -0 are one number
    most = LONGEST + 1
    return f"CASE WHEN length({text}) > {most} THEN left({text}, {most}) || md5({text}) ELSE {text} END"


def few(found: Found) -> bool:
    """Whether the different values can be counted exactly in any table."""
    return int(found["estimate"]) <= 50_000


def fences(quartile: float, third: float) -> tuple[float, float]:
    """Tukey's; where there is no number so far out, the last there is."""
    most, width = math.nextafter(math.inf, 0), FENCE * (third - quartile)
    return max(quartile - width, -most), min(third + width, most)


def scale(found: Found) -> float:
    """A power of two that brings the numbers near 1 when their squares would not be numbers; exact, as powers are."""
    most = max(abs(float(found["min"])), abs(float(found["max"])))
    if most == 0 or 1 / SAFE < most < SAFE:
        return 1.0
    return math.ldexp(1.0, max(-1000, min(1000, -math.frexp(most)[1])))


def edges_of(found: Found, kind: str) -> list[float]:
    """The edges of the bins: the first holds both of its own, each other one what is above its lower edge."""
    low, high = float(found["min"]), float(found["max"])
    if kind == "integer" and high - low < BINS:
        return [low - 1, *(low + step for step in range(int(high - low) + 1))]
    shares = (step / BINS for step in range(BINS + 1))
    edges = [low * (1 - share) + high * share for share in shares]
    edges[0], edges[-1] = low, high
    unique = sorted({edge for edge in edges if low <= edge <= high})
    return unique if len(unique) > 1 else [low, low]


def _finite(column: Column) -> str:
    x = column.name
    return f"WHERE isfinite({x}::DOUBLE)" if column.kind in {"integer", "number"} else f"WHERE isfinite({x})"


def _signs(column: Column) -> list[tuple[str, str]]:
    zero = "0" if column.kind == "number" else "'1970-01-01'"
    return [("infinite", f"> {zero}"), ("negative_infinite", f"< {zero}")]
