"""The profile of a table: a few statements that each go over all of its rows, in flat memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from webapi.services.processing import cleaning, dates, figures
from webapi.services.processing.columns import Column, fingerprint
from webapi.services.processing.figures import Figures
from webapi.services.processing.plan import Plan
from webapi.services.processing.shown import plain, short
from webapi.services.processing.tables import Table

EXACT_CELLS = 20_000_000  # values of a table that are all counted; of a larger one some figures are estimates
CELLS_AT_ONCE = 5_000_000  # of the columns of one statement
COLUMNS_AT_ONCE = 15  # a statement with some 200 filtered figures takes DuckDB a gigabyte to plan
Found = list[dict[str, Any]]


def profile(table: Table, plan: Plan, *, exact_cells: int = EXACT_CELLS) -> dict[str, Any]:
    """Rows, duplicates, and the figures of each column of the clean rows.

    Of a table of more than `exact_cells` values some figures are estimates: a column's `approximate` names them.
    """
    columns = [Column(f"c{number}", plan.out(column).held) for number, column in enumerate(plan.kept)]
    asking = _Asking(table, plan, columns)
    total, found = asking.overview()
    exact = total * len(columns) <= exact_cells
    if total:
        batch = min(COLUMNS_AT_ONCE, CELLS_AT_ONCE // total) if exact else COLUMNS_AT_ONCE
        asking.spread(found, max(1, batch), exact=exact)
    duplicates = asking.last(found) if total else 0
    shown = zip(plan.names, columns, found, strict=True)
    return {
        "rows": total,
        "duplicates": duplicates,
        "columns": [_shown(name, column, each, total) for name, column, each in shown],
    }


class _Asking:
    """The passes over the rows, and what they find of each column."""

    def __init__(self, table: Table, plan: Plan, columns: list[Column]) -> None:
        self.table, self.plan, self.columns = table, plan, columns
        values = (plan.out(column).value for column in plan.kept)
        selected = ", ".join(f"{value} AS c{number}" for number, value in enumerate(values))
        self.t = f"WITH t AS NOT MATERIALIZED ({cleaning.rows(plan, selected)})"

    def overview(self) -> tuple[int, Found]:
        self.table.step(25, "looking at each column")
        found: Found = [{} for _ in self.columns]
        total = 0
        for numbers in _batches(range(len(self.columns)), COLUMNS_AT_ONCE):
            (total,) = self._ask(["count(*)"], found, {i: figures.overview(self.columns[i]) for i in numbers})
        return total, found

    def spread(self, found: Found, batch: int, *, exact: bool) -> None:
        for numbers in _batches(range(len(self.columns)), batch):
            self.table.step(40 + 30 * numbers[0] / len(self.columns), "measuring the values")
            asked = {i: figures.spread(self.columns[i], found[i], exact=exact) for i in numbers}
            counted = [i for i in numbers if exact or figures.few(found[i])]
            extra = [figures.tops([(i, self.columns[i]) for i in counted])] if counted else []
            if not extra and not any(asked.values()):
                continue
            tops = self._ask(extra, found, asked)
            for each in json.loads(tops[0] or "[]") if tops else ():
                top = [{"value": one["v"], "count": -one["n"]} for one in each["t"]]
                found[each["c"]] |= {"distinct": each["d"], "top": top}
        for column, each in zip(self.columns, found, strict=True):
            _settle(column, each, exact=exact)

    def last(self, found: Found) -> int:
        """Outliers, and the number of rows that are like one before."""
        self.table.step(72, "looking for outliers and duplicates")
        alike = fingerprint(column.text for column in self.columns)
        whole = self.plan.dedupes and not self.plan.wanted.dedupe_by
        (duplicates,) = (0,) if whole else self._ask([f"count(*) - count(DISTINCT {alike})"], found, {})
        for numbers in _batches(range(len(self.columns)), COLUMNS_AT_ONCE):
            asked = {i: figures.outliers(self.columns[i], found[i]) for i in numbers}
            if any(asked.values()):
                self._ask([], found, asked)
        return int(duplicates)

    def _ask(self, extra: list[str], found: Found, asked: dict[int, Figures]) -> tuple[Any, ...]:
        """Put the figures into `found`, and give back the values of `extra`."""
        places = [(i, key) for i, each in asked.items() for key, _ in each]
        expressions = [*extra, *(sql for each in asked.values() for _, sql in each)]
        row = self.table.ask(f"{self.t} SELECT {', '.join(expressions)} FROM t")  # noqa: S608 # nosec B608 - ours
        for (i, key), value in zip(places, row[len(extra) :], strict=True):
            found[i][key] = value
        return row[: len(extra)]


def _settle(column: Column, found: dict[str, Any], *, exact: bool) -> None:
    """What statements gave as JSON, at its scale; and which figures are estimates."""
    found["approximate"] = [] if "distinct" in found or not found["values"] else ["distinct"]
    found.setdefault("distinct", min(found["estimate"], found["values"]))
    if "common" in found:
        found["common"] = json.loads(found["common"] or "[]")
        found["approximate"].append("top")
    if not found.get("quantiles"):
        return
    by = figures.scale(found)
    values = [value / by for value in json.loads(found["quantiles"])]
    found |= {"quantiles": values, "mean": found["mean"] / by, "std": _over(found["std"], by)}
    found["fences"] = figures.fences(values[1], values[3])
    if not exact:
        found["approximate"] += ["quantiles", "outliers"]
    counts = json.loads(found["histogram"])
    edges = figures.edges_of(found, column.kind)
    found["histogram"] = {"edges": edges, "counts": counts[: len(edges) - 1]}


def _shown(name: str, column: Column, found: dict[str, Any], total: int) -> dict[str, Any]:
    shown = {"name": name, "type": column.kind, "nulls": total - found["values"], "distinct": found.get("distinct", 0)}
    shown |= {key: plain(found[key]) for key in ("min", "max") if key in found}
    return shown | SHOWN[column.kind](found) | {"approximate": found.get("approximate", [])}


def _number(found: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(found.get("quantiles"), list):
        return _not_finite(found)
    low, high = found["fences"]
    names = [f"{100 * share:g}" for share in figures.QUANTILES]
    farthest = json.loads(found["lowest"] or "[]") + json.loads(found["highest"] or "[]")
    return _not_finite(found) | {
        "mean": found["mean"],
        "std": found["std"],
        "quantiles": dict(zip(names, found["quantiles"], strict=True)),
        "outliers": {"low": low, "high": high, "count": found["below"] + found["above"], "examples": farthest},
        "histogram": found["histogram"],
    }


def _date(found: dict[str, Any]) -> dict[str, Any]:
    if not found.get("histogram"):
        return _not_finite(found)
    counts = json.loads(found["histogram"])
    return _not_finite(found) | {"histogram": dates.histogram(found["min"], found["max"], counts)}


def _text(found: dict[str, Any]) -> dict[str, Any]:
    common = found.get("common") or []
    top = found.get("top") or [{"value": text, "count": found[f"common{i}"]} for i, text in enumerate(common)]
    top = sorted(top, key=lambda each: -each["count"])
    return {
        "empty": found["empty"],
        "shortest": found["shortest"],
        "longest": found["longest"],
        "top": [{"value": short(each["value"]), "count": each["count"]} for each in top],
    }


def _boolean(found: dict[str, Any]) -> dict[str, Any]:
    return {"true": found["true"], "false": found["values"] - found["true"]}


SHOWN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "text": _text, "integer": _number, "number": _number, "boolean": _boolean, "date": _date, "datetime": _date,
}  # fmt: skip


def _not_finite(found: dict[str, Any]) -> dict[str, Any]:
    counts = {key: found[key] for key in ("nan", "infinite", "negative_infinite") if found.get(key)}
    return {"not_finite": counts} if counts else {}


def _over(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _batches(numbers: range, most: int) -> Iterator[range]:
    for begin in range(0, len(numbers), most):
        yield numbers[begin : begin + most]
