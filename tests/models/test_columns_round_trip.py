"""A moment and a JSON value come back as they went in, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.queue.acting import Anything, Errands
from tests.queue.ground import ground, owner
from tests.queue.rows import accept, change, job

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")
MOMENTS = [
    datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC),
    datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_moment_comes_back_in_utc_to_within_a_millisecond(moment: datetime) -> None:
    job_id = accept("errand.hold", Errands())
    change(job_id, run_at=moment)
    found = job(job_id).run_at
    assert abs(found - moment) < timedelta(milliseconds=1)
    assert found.utcoffset() == timedelta(0)


VALUES: list[Any] = [None, True, 0, -1.5, "", "Zürich \U0001f600", [], {}, {"b": [1, {"a": None}]}, "x" * 100_000]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value)[:20])
def test_a_json_value_comes_back(value: Any) -> None:
    job_id = accept("return.odd", Anything(value=value))
    assert job(job_id).payload == {"value": value}
