"""A look at what a report would hold, for whoever writes it: its first rows, in the web process and within limits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from webapi.errors import Invalid, Permanent, Transient
from webapi.models import ReportVersion
from webapi.queue.files import store
from webapi.services.formats.table import Heading, check
from webapi.services.reports import library, sources
from webapi.services.reports.definition import Definition
from webapi.services.reports.sources import Asked

ROWS = 50
SECONDS = 10.0
NEWEST = 5_000  # of the owner's jobs, which a look reads


@dataclass(frozen=True)
class Look:
    """Columns as names and types, the first rows as texts, and whether there are more."""

    columns: list[tuple[str, str]]
    rows: list[list[str]]
    more: bool


def look(owner_id: UUID, definition: Definition, given: Mapping[str, str], timezone: str) -> Look:
    """The first rows. Raises Invalid for a statement or parameters that cannot work, or that takes too long."""
    now = datetime.now(UTC)
    datasets = library.check(owner_id, definition)
    values = definition.bound(definition.pinned(given, timezone, now), timezone, now)
    version = ReportVersion(datasets=datasets, source=definition.source, sql=definition.sql)
    began = time.monotonic()

    def tick() -> None:
        if time.monotonic() - began > SECONDS:
            raise Invalid(f"The statement gives no rows within {SECONDS:g} seconds; a report has more time.")

    asked = Asked(owner_id, version, values, timezone, newest=NEWEST)
    try:
        with store().scratch() as scratch, sources.opened(asked, scratch, tick, ROWS) as found:
            chart = definition.chart.chart() if definition.chart else None
            check(Heading(definition.title, {}, now, chart=chart), found.columns)
            rows = [[_text(value) for value in row] for row in found.rows]
            return Look([(each.name, each.type) for each in found.columns], rows, found.incomplete() is not None)
    except (Permanent, Transient) as error:
        raise Invalid(error.message) from None
    except ValueError as error:  # a table that no file could hold
        raise Invalid(str(error)) from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else str(value)
