"""The statements that clean a table and that count what they change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from webapi.errors import Permanent
from webapi.services.processing.columns import fingerprint, trimmed
from webapi.services.processing.filters import within
from webapi.services.processing.plan import Plan
from webapi.services.processing.shown import short
from webapi.services.queries.calls import identifier

EXAMPLES = 3  # of values that do not fit


def rows(plan: Plan, selected: str, *, ordered: bool = False) -> str:
    """A SELECT of these expressions over the clean rows; `ordered`, in the order of the table."""
    n = f"{plan.mark}n"
    sql = (
        f"{_judged(plan, numbered=plan.dedupes)}, kept AS NOT MATERIALIZED (SELECT * FROM judged WHERE {_stays(plan)})"  # noqa: S608 # nosec B608 - quoted
    )
    if not plan.dedupes:
        return f"{sql} SELECT {selected} FROM kept"  # noqa: S608 # nosec B608 - quoted
    alike = fingerprint(plan.out(column).text for column in plan.alike)
    sql += f", firsts AS (SELECT min({n}) AS n FROM kept GROUP BY {alike})"  # noqa: S608 # nosec B608 - quoted
    end = f" ORDER BY {n}" if ordered else ""
    return f"{sql} SELECT {selected} FROM kept WHERE {n} IN (SELECT n FROM firsts){end}"  # noqa: S608 # nosec B608 - quoted


def named(plan: Plan) -> str:
    """The columns that come out, by their new names."""
    pairs = zip(plan.kept, plan.names, strict=True)
    return ", ".join(f"{plan.out(column).value} AS {identifier(name)}" for column, name in pairs)


def counts(plan: Plan) -> str:
    """One row: the rows of the table, those after `types` and after `filter`, then a count for each column whose
    texts are trimmed, then a count and the first examples for each whose type is changed."""
    mark, fits = plan.mark, _fits(plan)
    figures = ["count(*)", f"count(*) FILTER (WHERE {fits})", f"count(*) FILTER (WHERE {_stays(plan)})"]
    figures += [f"count(*) FILTER (WHERE {mark}cut{i})" for i in range(len(plan.cut))]
    for i in range(len(plan.types)):
        bad = f"{mark}bad{i}"
        first = f"min({{'n': {mark}n, 'v': left({bad}, 200)}}, {EXAMPLES}) FILTER (WHERE {bad} IS NOT NULL)"
        figures += [f"count({bad})", first]
    return f"{_judged(plan, numbered=bool(plan.types))} SELECT {', '.join(figures)} FROM judged"  # noqa: S608 # nosec B608 - quoted


def steps(plan: Plan, counted: Sequence[Any], after: int) -> list[dict[str, Any]]:
    """What each step did, out of the row of `counts` and the number of rows in the end.

    Permanent when a value does not fit its type, and that is to be the end.
    """
    wanted, (before, fitting, staying), figures = plan.wanted, counted[:3], iter(counted[3:])
    done: list[dict[str, Any]] = []
    if wanted.trim:
        cut = {short(column.name): count for column, count in zip(plan.cut, figures, strict=False) if count}
        done.append({"step": "trim", "changed": sum(cut.values()), "columns": cut})
    if wanted.types:
        misfits = [
            _misfit(column.name, wanted_type.text, next(figures), next(figures))
            for column, wanted_type in plan.types.items()
        ]
        misfits = [each for each in misfits if each["count"]]
        if misfits and wanted.on_error == "fail":
            raise Permanent(_failed(misfits[0]))
        done.append({"step": "types", "removed": before - fitting, "on_error": wanted.on_error, "misfits": misfits})
    if wanted.filter:
        done.append({"step": "filter", "removed": fitting - staying})
    if gone := len(plan.columns) - len(plan.kept):
        done.append({"step": "columns", "removed": gone})
    if plan.dedupes:
        done.append({"step": "dedupe", "removed": staying - after})
    if wanted.rename:
        done.append({"step": "rename", "changed": len(wanted.rename)})
    return done


def _misfit(column: str, wanted: str, count: int, first: str | None) -> dict[str, Any]:
    examples = [{"row": each["n"], "value": short(each["v"])} for each in json.loads(first or "[]")]
    return {"column": short(column), "type": wanted, "count": count, "examples": examples}


def _failed(misfit: dict[str, Any]) -> str:
    first = misfit["examples"][0]
    return (
        f"{misfit['count']:,} values of {misfit['column']} are no {misfit['type']};"
        f" the first is {first['value']!r} in row {first['row']:,}."
    )


def _judged(plan: Plan, *, numbered: bool) -> str:
    """WITH the rows, their values cleaned; what did not fit; whether the filter keeps them."""
    mark, n = plan.mark, f"{plan.mark}n"
    read = f"row_number() OVER () AS {n}, *" if numbered else "*"
    typed = [n] if numbered else []
    for column in plan.columns:
        value = trimmed(column.text) if column in plan.cut else identifier(column.name)
        if column in plan.types:
            value = plan.types[column].cast(trimmed(column.text))
        typed.append(f"{value} AS {identifier(column.name)}")
    typed += [f"{trimmed(column.text)} AS {mark}t{i}" for i, column in enumerate(plan.types)]
    typed += [f"{column.text} <> {trimmed(column.text)} AS {mark}cut{i}" for i, column in enumerate(plan.cut)]
    judged = [
        f"CASE WHEN {identifier(column.name)} IS NULL THEN nullif({mark}t{i}, '') END AS {mark}bad{i}"
        for i, column in enumerate(plan.types)
    ]
    judged.append(f"{within(plan.wanted.filter or 'true')} IS TRUE AS {mark}f")
    return (
        f"WITH numbered AS NOT MATERIALIZED (SELECT {read} FROM {identifier(plan.table)}),"  # noqa: S608 # nosec B608 - quoted, but for the filter, which is one expression
        f" typed AS NOT MATERIALIZED (SELECT {', '.join(typed)} FROM numbered),"
        f" judged AS NOT MATERIALIZED (SELECT *, {', '.join(judged)} FROM typed)"
    )


def _fits(plan: Plan) -> str:
    """In SQL: whether no value of a row is in the way."""
    if plan.wanted.on_error != "drop" or not plan.types:
        return "true"
    return " AND ".join(f"{plan.mark}bad{i} IS NULL" for i in range(len(plan.types)))


def _stays(plan: Plan) -> str:
    return f"{_fits(plan)} AND {plan.mark}f"
