"""What a text must look like to be of a type."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from tests.services.processing.conftest import Desk
from webapi.services.processing.columns import SPACES, Column, Wanted

VALUES: list[tuple[str, str, Any]] = [
    ("integer", "7", 7),
    ("integer", "-7", -7),
    ("integer", "+7", 7),
    ("integer", "007", 7),
    ("integer", "3.0", 3),
    ("integer", "170141183460469231731687303715884105727", 170141183460469231731687303715884105727),
    ("integer", "170141183460469231731687303715884105728", None),
    ("integer", "1.5", None),
    ("integer", "1e3", None),
    ("integer", "1_000", None),
    ("integer", "1,000", None),
    ("integer", "0x10", None),
    ("integer", "true", None),
    ("number", "1.5", 1.5),
    ("number", ".5", 0.5),
    ("number", "-1e-3", -0.001),
    ("number", "1e308", 1e308),
    ("number", "1e400", None),
    ("number", "-1e400", None),
    ("number", "nan", None),
    ("number", "inf", None),
    ("number", "1,5", None),
    ("number", "1_000", None),
    ("number", "12 CHF", None),
    ("number:,", "1,5", 1.5),
    ("number:,", "-7", -7.0),
    ("number:,", "1.5", None),
    ("number:,", "1.000,5", None),
    ("boolean", "Yes", True),
    ("boolean", "TRUE", True),
    ("boolean", "1", True),
    ("boolean", "n", False),
    ("boolean", "f", False),
    ("boolean", "2", None),
    ("boolean", "yesterday", None),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "2024-2-9", date(2024, 2, 9)),
    ("date", "2024-02-29 00:00:00", date(2024, 2, 29)),
    ("date", "2024-02-29 10:00", None),
    ("date", "2023-02-29", None),
    ("date", "29.02.2024", None),
    ("date", "02/03/2024", None),
    ("date", "today", None),
    ("date", "infinity", None),
    ("date:%d.%m.%Y", "29.02.2024", date(2024, 2, 29)),
    ("date:%d.%m.%Y", "2024-02-29", None),
    ("date:%d.%m.%Y", "30.02.2024", None),
    ("datetime", "2024-02-29", datetime(2024, 2, 29)),  # noqa: DTZ001 - a column without zones
    ("datetime", "2024-02-29T23:59:58.123456", datetime(2024, 2, 29, 23, 59, 58, 123456)),  # noqa: DTZ001
    ("datetime", "2024-02-29 12:00+02:00", datetime(2024, 2, 29, 10)),  # noqa: DTZ001
    ("datetime", "2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12)),  # noqa: DTZ001
    ("datetime", "epoch", None),
    ("datetime:%d/%m/%Y %H:%M", "29/02/2024 23:59", datetime(2024, 2, 29, 23, 59)),  # noqa: DTZ001
    ("text", "7", "7"),
]


@pytest.mark.parametrize("kind", sorted({kind for kind, *_ in VALUES}))
def test_a_text_is_a_value_of_its_type_or_counted_as_none(desk: Desk, kind: str) -> None:
    wanted = [(text, value) for each, text, value in VALUES if each == kind]
    quoted = "".join(f'"  {text}\t","{"x" if number else "y"}"\n' for number, (text, _) in enumerate(wanted))
    _, rows, steps = desk.clean(f"value,other\n{quoted}", types={"value": kind}, trim=True)
    assert [row[0] for row in rows] == [value for _, value in wanted]
    misfits = steps["types"]["misfits"]
    assert sum(each["count"] for each in misfits) == sum(value is None for _, value in wanted)


@pytest.mark.parametrize(
    "text", ["", "float", "Number", "number:%d", "number:.", "integer:,", "VARCHAR", "date); DROP TABLE x"]
)
def test_there_are_no_other_types(text: str) -> None:
    with pytest.raises(ValueError, match="is no type"):
        Wanted.parse(text)


@pytest.mark.parametrize("pattern", ["%Q", "%", "') OR ('", "x" * 60])
def test_a_pattern_that_means_nothing_reads_nothing_and_does_no_harm(desk: Desk, pattern: str) -> None:
    try:
        _, rows, _ = desk.clean("day\n29.02.2024\n", types={"day": f"date:{pattern}"})
    except Exception as error:  # noqa: BLE001 - whichever it is, it is a sentence
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert rows == [(None,)]


def test_what_is_to_be_text_keeps_its_zeros_and_a_date_its_pattern(desk: Desk) -> None:
    content = "plz,day\n01234,03/04/2024\n00001,04/03/2024\n"
    _, rows, _ = desk.clean(content, types={"plz": "text", "day": "date:%d/%m/%Y"})
    assert rows == [("01234", date(2024, 4, 3)), ("00001", date(2024, 3, 4))]


def test_white_space_is_what_python_and_spreadsheets_take_for_it() -> None:
    assert set(SPACES) > {" ", "\t", "\u00a0", "\u3000", "\u202f", "\ufeff"}
    assert not set(SPACES) & set("aZ0-'\"")


@pytest.mark.parametrize(
    ("real", "kind"),
    [
        ("UBIGINT", "integer"),
        ("DECIMAL(18,3)", "number"),
        ("TIMESTAMP_NS", "datetime"),
        ("TIMESTAMP WITH TIME ZONE", "datetime"),
        ("BIGINT[]", "text"),
        ("STRUCT(a BIGINT)", "text"),
        ("TIME", "text"),
        ("UUID", "text"),
        ("INTEGER[3]", "text"),
    ],
)
def test_every_type_of_duckdb_is_one_of_six(real: str, kind: str) -> None:
    assert Column("x", real).kind == kind
