"""Times in queries and bodies: RFC 3339 with a zone, in years that every database and time zone knows."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1970, 2200  # moments beyond have no place in every database and time zone


def _spelt(given: Any) -> Any:
    """pydantic would take a number for seconds since 1970, and a day for its midnight."""
    if isinstance(given, str) and not RFC_3339.fullmatch(given):
        raise ValueError("write a time with its zone as 2030-01-31T09:00:00Z or 2030-01-31T09:00:00+01:00")
    return given


def _plausible(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"use a time between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_spelt), AfterValidator(_plausible)]
