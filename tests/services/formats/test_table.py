"""What a table may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.services.formats.sample import COLUMNS, heading
from webapi.services.formats import Chart, Column
from webapi.services.formats.table import check, plain


@pytest.mark.parametrize("names", [[], [""], ["a", "a"], ["a", "A"]])
def test_columns_without_names_of_their_own_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="a name of its own"):
        check(heading(), [Column(name, "text") for name in names])


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        (Chart("bar", "nothing", ("price",)), "needs a column as x"),
        (Chart("bar", "day", ()), "needs a column as x"),
        (Chart("bar", "day", ("=note",)), "numeric columns as y"),
        (Chart("pie", "day", ("price", "ratio")), "A pie shows one column"),
    ],
)
def test_a_chart_of_what_is_not_there_is_refused(chart: Chart, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check(heading(chart), COLUMNS)


def test_a_moment_is_told_in_utc() -> None:
    there = timezone(timedelta(hours=2))
    assert plain(datetime(2026, 1, 1, 1, tzinfo=there)).isoformat() == "2025-12-31T23:00:00"
    assert plain(datetime(1, 1, 1, 1, tzinfo=there)).isoformat() == "0001-01-01T01:00:00"
    assert plain(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)).hour == 0
