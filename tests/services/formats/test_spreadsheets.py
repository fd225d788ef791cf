"""A workbook's chart stands on a sheet of its own, with the points it draws."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import openpyxl
import pytest

from tests.services.formats.sample import COLUMNS, heading, rows, written
from webapi.services.formats import Chart, Column, write


@pytest.mark.parametrize("kind", ["bar", "line", "area", "pie"])
@pytest.mark.parametrize("x", ["day", "at", "id", "open", "Größe €"])
def test_the_chart_draws_the_points_beside_it(tmp_path: Path, kind: Literal["bar", "pie"], x: str) -> None:
    written(tmp_path / "a.xlsx", "xlsx", 1200, Chart(kind, x, ("id",)))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Chart"]
    values = [row[1] for row in sheet.iter_rows(min_row=4, values_only=True)]
    if kind == "pie":
        assert (len(values), sum(values)) == (12, sum(range(1200)))
        assert sheet["A1"].value == "The largest of 1,200 rows are drawn; the others together are “Other”."
    else:
        assert values == list(range(0, 1200, 4))
        assert sheet["A1"].value == "One row in 4 is drawn, of 1,200."


def test_two_series_have_two_columns(tmp_path: Path) -> None:
    written(tmp_path / "a.xlsx", "xlsx", 5, Chart("line", "day", ("price", "ratio")))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Chart"]
    assert [cell.value for cell in sheet[3]] == ["day", "price", "ratio"]
    assert [row[1] for row in sheet.iter_rows(min_row=4, values_only=True)] == [float(row[2]) for row in rows(5)]


def test_a_chart_of_nothing_is_a_sentence(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", "xlsx", heading(Chart("bar", "day", ("price",))), COLUMNS, [])
    write(tmp_path / "b.xlsx", "xlsx", heading(Chart("pie", "n", ("n",))), [Column("n", "integer")], [[-1]])
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["Chart"]["A1"].value == "No chart: there is nothing to draw."
    assert "negative" in openpyxl.load_workbook(tmp_path / "b.xlsx")["Chart"]["A1"].value
