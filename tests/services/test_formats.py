"""Writing can be stopped at any time and leaves nothing; no cell is a formula; the web loads none of the libraries."""

from __future__ import annotations

import csv
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from tests.contracts.source import ROOT
from tests.processes import python_children
from tests.services.formats.sample import COLUMNS, heading, rows
from webapi.services.formats import MEDIA_TYPES, Chart, Column, Format, write

SOON = 1.5  # seconds; half a second is promised, and other tests run beside this one


class Stopped(Exception):
    """What a cancelled job raises."""


def left_behind(folder: Path, before: int) -> list[Any]:
    return [*folder.iterdir(), *python_children(), *threading.enumerate()[before:]]


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_a_cancel_among_the_rows_stops_and_leaves_nothing(tmp_path: Path, file_format: Format) -> None:
    before, heard = threading.active_count(), []

    def tick(count: int) -> None:
        heard.append(count)
        if count >= 3000:
            raise Stopped

    with pytest.raises(Stopped):
        write(tmp_path / "a", file_format, heading(Chart("bar", "day", ("price",))), COLUMNS, rows(50_000), tick=tick)
    assert heard == [1000, 2000, 3000]
    assert not left_behind(tmp_path, before)


def long_texts(count: int) -> Iterator[list[Any]]:
    """What takes Parquet a while to compress, in every last column."""
    return ([*row[:-1], secrets.token_hex(5000)] for row in rows(count))


@pytest.mark.parametrize(
    ("file_format", "many", "ticks"),
    [("parquet", long_texts(20_000), 1), ("pdf", rows(8000), 4), ("html", rows(60_000), 4)],
)
def test_a_cancel_while_the_file_is_put_together_is_heard_soon(
    tmp_path: Path, file_format: Format, many: Iterator[list[Any]], ticks: int
) -> None:
    before = threading.active_count()
    moments: list[float] = []  # when the rows ended, and when somebody could say stop after that

    def ended() -> None:
        moments.append(time.monotonic())

    def tick(_: int) -> None:
        if moments:
            moments.append(time.monotonic())
            if len(moments) > ticks:
                raise Stopped

    with pytest.raises(Stopped):
        write(
            tmp_path / "a", file_format, heading(), COLUMNS, many,
            incomplete=ended, tick=tick,
        )  # fmt: skip
    assert time.monotonic() - moments[-1] < SOON
    assert max(later - sooner for sooner, later in pairwise(moments)) < SOON
    assert not left_behind(tmp_path, before)


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_rows_that_fail_leave_nothing(tmp_path: Path, file_format: Format) -> None:
    def failing() -> Iterator[list[Any]]:
        yield from rows(1500)
        raise OSError("the source is gone")

    before = threading.active_count()
    with pytest.raises(OSError, match="the source is gone"):
        write(tmp_path / "a", file_format, heading(), COLUMNS, failing())
    assert not left_behind(tmp_path, before)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "＝"])
def test_no_text_is_a_formula_in_any_format(tmp_path: Path, begin: str) -> None:
    text = f'{begin}HYPERLINK("http://example.com")'
    for file_format in ("csv", "xlsx", "html"):
        write(tmp_path / f"a.{file_format}", file_format, heading(), [Column("n" + text, "text")], [[text]])
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1:] == [["'" + text]]
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["Data"]["A2"]
    assert (cell.data_type, cell.value, cell.hyperlink) == ("s", text.replace("\r", "\n"), None)
    with ZipFile(tmp_path / "a.xlsx") as package:
        assert not [name for name in package.namelist() if b"<f>" in package.read(name)]
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "<a" not in page.replace("<article", "")
    assert page.count("HYPERLINK(&quot;http://example.com&quot;)") == 2


HEAVY = ("duckdb", "matplotlib", "numpy", "typst", "xlsxwriter", "openpyxl", "PIL")  # Flask-WTF loads babel itself


def test_the_web_loads_none_of_the_libraries(tmp_path: Path) -> None:
    program = f"import sys, webapi.services.formats, wsgi; print([name for name in {HEAVY!r} if name in sys.modules])"
    command = [sys.executable, "-B", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
