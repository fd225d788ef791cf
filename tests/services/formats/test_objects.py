"""JSON reads back as what was written, with every digit."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings

from tests.services.formats.sample import COLUMNS, ODD, heading, odd, rows, written
from webapi.services.formats import Column, write
from webapi.services.formats.cells import encodable


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"), parse_float=Decimal, parse_constant=refuse)


def test_rows_read_back(tmp_path: Path) -> None:
    done = written(tmp_path / "a.json", "json", 1500)
    found = read(tmp_path / "a.json")
    assert (found["title"], found["parameters"]) == ("Sales & <more>", {"Region": "=1+1 <all>"})
    assert found["as_of"] == "2026-11-21T09:00:00.000005+00:00"
    assert found["columns"] == [{"name": column.name, "type": column.type} for column in COLUMNS]
    expected = [dict(zip([column.name for column in COLUMNS], row, strict=True)) for row in rows(1500)]
    for row in expected:
        row |= {"day": row["day"].isoformat(), "at": row["at"].isoformat(), "ratio": Decimal(str(row["ratio"]))}
    assert found["rows"] == expected
    assert done.totals["price"] == sum(row["price"] for row in found["rows"])


def test_numbers_are_exact_and_what_json_cannot_say_is_null(tmp_path: Path) -> None:
    values = [Decimal("0.10"), Decimal("1E+400"), 2**70, 0.1, float("nan"), float("inf"), Decimal("NaN"), None]
    write(tmp_path / "a.json", "json", heading(), [Column("a", "number")], [[value] for value in values])
    found = [row["a"] for row in read(tmp_path / "a.json")["rows"]]
    assert found == [Decimal("0.10"), Decimal("1E+400"), 2**70, Decimal("0.1"), None, None, None, None]


def test_no_rows_are_an_empty_list(tmp_path: Path) -> None:
    assert written(tmp_path / "a.json", "json", 0).rows == 0
    assert read(tmp_path / "a.json")["rows"] == []


@settings(deadline=None)
@given(ODD)
def test_any_text_reads_back(text: str) -> None:
    with TemporaryDirectory() as folder:
        odd(Path(folder, "a.json"), "json", text, name="x" + text)
        found = read(Path(folder, "a.json"))
    assert found["rows"] == [{"x" + encodable(text): encodable(text), "n": n} for n in (1, 2)]
    assert found["parameters"] == {encodable(text): encodable(text)}
