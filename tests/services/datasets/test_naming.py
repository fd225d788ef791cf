"""How a dataset may be called, and what is suggested."""

from __future__ import annotations

import pytest

from webapi.errors import Invalid
from webapi.services.datasets import naming


@pytest.mark.parametrize("name", ["a", "sales_2026", "a" * 60])
def test_a_name_that_sql_takes_without_quotes_is_a_name(name: str) -> None:
    assert naming.check(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "_a", "a-b", "a b", "a" * 61, "ä", "a\n", "jobs", "receipts", "data", "a;drop"]
)
def test_others_are_refused_with_their_place(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        naming.check(name)
    assert [fault.pointer for fault in caught.value.faults] == ["/name"]


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("Umsätze 2026.csv", "umsatze_2026"),
        ("2026 sales.CSV", "table_2026_sales"),
        ("данные.csv", "table"),
        ("jobs.csv", "jobs_2"),
        ("taken.csv", "taken_3"),
        ("a" * 190 + ".csv", "a" * 50),
    ],
)
def test_a_name_is_suggested_that_is_free(file_name: str, name: str) -> None:
    assert naming.suggested(file_name, {"taken", "taken_2"}) == name
    assert naming.check(naming.suggested(file_name, {"taken", "taken_2"}))
