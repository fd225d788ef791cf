"""From what somebody asks to what is built: the report's version and its periods are fixed when it is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from webapi.services.queries import periods
from webapi.services.reports import library


def _zone(name: str) -> str:
    periods.today_in(name, datetime.now(UTC))
    return name


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]


def pinned(
    owner_id: UUID, report: str, given: Mapping[str, str], timezone: str, now: datetime
) -> tuple[str, dict[str, str]]:
    """The report as `name@version`, and its parameters as they mean the same at any later time.

    Raises Invalid for a report that is not there and for parameters that do not fit, with a Fault for each.
    """
    version = library.referred(owner_id, report)
    name = report.partition("@")[0]
    values = library.definition_of(version).pinned(given, timezone, now)
    return f"{name}@{version.version}", values
