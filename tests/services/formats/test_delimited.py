"""CSV reads back as what was written."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from tests.services.formats.sample import ODD, heading, odd, rows, written
from webapi.services.formats import Column, write
from webapi.services.formats.cells import encodable, inert
from webapi.services.formats.delimited import decimal_text


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_rows_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    done = written(path, "csv", 2500)
    head, *found = read(path)
    assert head == ["id", "Größe €", "price", "ratio", "open", "day", "at", "'=note"]
    assert (done.rows, len(found), done.truncated) == (2500, 2500, None)
    for line, (number, name, price, ratio, is_open, day, at, note) in zip(found, rows(2500), strict=True):
        assert (int(line[0]), line[1], Decimal(line[2]), float(line[3])) == (number, name, price, ratio)
        assert line[4:7] == ["true" if is_open else "false", day.isoformat(), at.isoformat()]
        assert line[7] == (inert(note) or "")
    assert done.totals["price"] == sum(Decimal(line[2]) for line in found)
    assert done.totals["ratio"] == sum(Decimal(line[3]) for line in found)


def test_lines_end_as_rfc_4180_says_and_there_is_no_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write(path, "csv", heading(), [Column("a", "text"), Column("b", "number")], [["x,y", None], ['"', 1.5]])
    assert path.read_bytes() == b'a,b\r\n"x,y",\r\n"""",1.5\r\n'


def test_numbers_are_never_formulas_and_keep_their_sign(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    values = [-1, -1.5, Decimal("-2.50"), Decimal("1E+3"), float("nan"), float("-inf"), 10**30]
    done = write(path, "csv", heading(), [Column("a", "number")], [[value] for value in values])
    found = [line for (line,) in read(path)[1:]]
    assert found == ["-1", "-1.5", "-2.50", "1000", "nan", "-inf", str(10**30)]
    assert (int(done.totals["a"]), done.not_finite["a"]) == (10**30 + 995, 2)


@pytest.mark.parametrize(("value", "text"), [("1E-7", "0.0000001"), ("1E+400", "1E+400"), ("1E-400", "1E-400")])
def test_a_decimal_has_an_exponent_only_where_it_would_be_long(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@settings(deadline=None)
@given(ODD)
def test_any_text_reads_back_and_no_cell_begins_a_formula(text: str) -> None:
    with TemporaryDirectory() as folder:
        odd(Path(folder, "a.csv"), "csv", text, name="x" + text)
        _, *found = read(Path(folder, "a.csv"))
    assert found == [[inert(encodable(text)), "1"], [inert(encodable(text)), "2"]]
    assert not found[0][0].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_a_name_is_no_formula_either(tmp_path: Path) -> None:
    odd(tmp_path / "a.csv", "csv", "x" * 100_000, name="=1+1")
    assert read(tmp_path / "a.csv")[0] == ["'=1+1", "n"]
