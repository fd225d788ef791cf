"""Errors become sentences that name tables, never paths."""

from __future__ import annotations

import duckdb
import pytest

from webapi.services.queries.errors import reason, sentence
from webapi.services.queries.sources import Limits, Refusal

LIMITS = Limits(memory_bytes=64 << 20, temp_bytes=32 << 20)


def test_a_path_becomes_the_name_of_its_table() -> None:
    error = duckdb.IOException("IO Error: Cannot open /srv/up/1 and /srv/up/12!\nmore")
    assert reason(error, {"/srv/up/1": "sales", "/srv/up/12": "people"}) == "Cannot open sales and people."


def test_a_row_in_csv_is_named_with_its_reason() -> None:
    error = duckdb.InvalidInputException(
        "Invalid Input Error: CSV Error on Line: 3\nOriginal Line: 4,5\nExpected Number of Columns: 3 Found: 2\n"
        "Possible fixes:\n* x\n\n  file = /srv/up/1"
    )
    assert reason(error, {}) == "line 3: Original Line: 4,5; Expected Number of Columns: 3 Found: 2."


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "The query needs more than the 64 MB of memory that it may use."),
        (duckdb.OutOfMemoryException("x"), "The query needs more than the 64 MB of memory that it may use."),
        (
            duckdb.OutOfMemoryException("x 'max_temp_directory_size' y"),
            "The query needs more than the 32 MB of memory on disk that it may use.",
        ),
        (Refusal("No."), "No."),
        (duckdb.BinderException("Binder Error: What?\nLINE 1"), "The query failed: What?."),
        (duckdb.Error("x" * 1000), "The query failed: " + "x" * 399 + "."),
    ],
)
def test_each_error_has_its_sentence(error: Exception, expected: str) -> None:
    assert sentence(error, {}, LIMITS) == expected
