"""A table of somebody's from beginning to end: read, cleaned, profiled, and written in another format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from webapi.errors import Permanent
from webapi.queue import current, new_file
from webapi.services.formats import MEDIA_TYPES, SUFFIXES, Column, Format, Heading, write
from webapi.services.formats.proof import facts
from webapi.services.processing import cleaning, filters
from webapi.services.processing.plan import Cleaning, Plan
from webapi.services.processing.profile import profile
from webapi.services.processing.shown import short
from webapi.services.processing.tables import Table, scratch

LONGEST_STEM = 150  # bytes of the name of a file that is written
MOST_COLUMNS = 300  # of a profile in a job's result; all of them are in the file
EMPTY = {"rows": 0, "duplicates": 0, "columns": []}
Found = Callable[[Path], Table | None]


def process(found: Found, wanted: Cleaning, convert_to: Format | None = None) -> dict[str, Any]:
    """What became of the table that `found` opens: the profile of its clean rows, the counts before and after, and
    what each step changed.

    In a job, the whole profile becomes the file profile.json, and the rows a file when `convert_to` names a format.
    Permanent, with a sentence, when the table cannot be read or cleaned so.
    """
    with scratch() as folder:
        table = found(folder)
        if table is None:
            return {"source": {"name": "data"}, "rows_before": 0, "steps": [], **EMPTY}
        columns = table.describe(wanted.types)
        if wanted.filter:
            filters.check(wanted.filter, [column.name for column in columns])
        plan = Plan(table.name, columns, wanted)
        counted = _counted(table, plan)
        profiled = profile(table, plan)
        before = counted[0] if counted else profiled["rows"]
        steps = cleaning.steps(plan, counted, profiled["rows"]) if counted else []
        result = {"source": _source(table), "rows_before": before, "steps": steps, **profiled}
        if current():
            _keep(result)
        if convert_to:
            result["file"] = _write(table, plan, convert_to, profiled["rows"])
        return result | _cut(profiled["columns"])


def _counted(table: Table, plan: Plan) -> tuple[Any, ...]:
    """The row of `cleaning.counts`, looked through before anything else is done; empty without a step."""
    if not plan.wanted:
        return ()
    table.step(15, "cleaning")
    counted = table.ask(cleaning.counts(plan))
    cleaning.steps(plan, counted, counted[2])  # raises where a value that does not fit is to be the end
    return counted


def _source(table: Table) -> dict[str, Any]:
    """How the file was read."""
    options = table.source.options
    said = {"delimiter": options.delimiter, "encoding": options.encoding, "decimal": options.decimal}
    told = {key: value for key, value in said.items() if value is not None}
    return {"name": table.name, "format": table.source.format, **told}


def _keep(result: dict[str, Any]) -> None:
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
    new_file("profile.json", "application/json").write_text(text + "\n", "utf-8")


def _cut(columns: list[dict[str, Any]]) -> dict[str, Any]:
    shown = [each | {"name": short(each["name"])} for each in columns[:MOST_COLUMNS]]
    if len(columns) <= MOST_COLUMNS:
        return {"columns": shown}
    said = f"Only the first {MOST_COLUMNS} of the {len(columns):,} columns are shown: profile.json has all of them."
    return {"columns": shown, "note": said}


def _write(table: Table, plan: Plan, convert_to: Format, total: int) -> dict[str, Any]:
    """The rows as a file of the job, and what it holds."""
    table.step(75, "writing")
    stem = Path(table.name).stem.encode()[:LONGEST_STEM].decode(errors="ignore")
    name = f"{'table' if stem == 'profile' else stem}{SUFFIXES[convert_to]}"  # profile.json is the profile
    path = new_file(name, MEDIA_TYPES[convert_to])
    heading = Heading(table.name, {}, datetime.now(UTC))
    with table.rows(cleaning.rows(plan, cleaning.named(plan), ordered=True)) as result:
        columns = [Column(name, kind) for name, kind in result.columns]  # type: ignore[arg-type]

        def tick(count: int) -> None:
            table.step(75 + 20 * count / max(total, 1), f"{count:,} rows written")

        try:
            written = write(path, convert_to, heading, columns, result.rows, tick=tick)
        except ValueError as error:
            raise Permanent(f"{table.name} cannot be written as {convert_to}: {error}") from None
    table.step(98, "written")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": name, **facts(heading, written), "sha256": digest}
