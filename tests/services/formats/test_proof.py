"""A file says what it holds, and what it says is what somebody else counts in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from pypdf import PdfReader

from tests.services.formats.sample import COLUMNS, rows
from webapi.services.formats import Chart, Format, Heading, Written, write
from webapi.services.formats.locales import Language
from webapi.services.formats.proof import facts, lines

HEADING = Heading(
    "Sales & <more>",
    {"Region": "=1+1 <all>"},
    datetime(2026, 11, 21, 9, tzinfo=UTC),
    chart=Chart("bar", "day", ("price",)),
    about={"Definition": "Sales", "Version": "3"},
)
WHY = "truncated at 700 rows because the query may have no more"


def made(folder: Path, file_format: Format, incomplete: str | None = None) -> tuple[Path, Written]:
    path = folder / f"a.{file_format}"
    return path, write(path, file_format, HEADING, COLUMNS, rows(700), incomplete=lambda: incomplete)


def test_the_manifest_is_json_in_one_order() -> None:
    done = Written(2, {"a": Decimal("1E+3"), "b": Decimal("-0.10")}, WHY, {"a": 1, "b": 0})
    found = facts(HEADING, done)
    names = ["title", "about", "parameters", "as_of", "rows", "totals", "not_finite", "complete", "truncated"]
    assert list(found) == names
    assert json.loads(json.dumps(found)) == found
    assert (found["totals"], found["not_finite"]) == ({"a": "1000", "b": "-0.10"}, {"a": 1})
    assert (found["complete"], found["truncated"]) == (False, WHY)


def test_people_read_it_in_their_language() -> None:
    done = Written(1234, {"Preis": Decimal("1234.50")}, None, {"Preis": 2})
    assert lines(HEADING, done, Language("de")) == [
        ("Definition", "Sales"),
        ("Version", "3"),
        ("Region", "=1+1 <all>"),
        ("Stand", "21.11.2026 09:00:00 UTC"),
        ("Zeilen", "1.234"),
        ("Summe von Preis", "1.234,50"),
        ("NaN und ∞ in Preis", "2"),
        ("Vollständig", "ja"),
    ]


def csv_counts(path: Path) -> tuple[int, Decimal]:
    return counted(f"read_csv('{path}', all_varchar=true)")


def parquet_counts(path: Path) -> tuple[int, Decimal]:
    return counted(f"read_parquet('{path}')")


def counted(table: str) -> tuple[int, Decimal]:
    with duckdb.connect() as database:
        found = database.execute(f"SELECT count(*), sum(CAST(price AS DECIMAL(18, 2))) FROM {table}").fetchone()
    assert found
    return found


def json_counts(path: Path) -> tuple[int, Decimal]:
    found = json.loads(path.read_text("utf-8"), parse_float=Decimal)["rows"]
    return len(found), sum((row["price"] for row in found), Decimal(0))


def xlsx_counts(path: Path) -> tuple[int, Decimal]:
    _, *found = openpyxl.load_workbook(path, read_only=True)["Data"].values
    return len(found), sum((Decimal(str(row[2])) for row in found), Decimal(0))


def html_counts(path: Path) -> tuple[int, Decimal]:
    found = re.findall(r'<tr><td class="n">[^<]*</td><td class="t">[^<]*</td><td class="n">([^<]*)', path.read_text())
    return len(found), sum((Decimal(price.replace(",", "")) for price in found), Decimal(0))


def pdf_counts(path: Path) -> tuple[int, Decimal]:
    """Rows begin with their number, then näme and the number again, then the price."""
    text = "\n".join(page.extract_text() for page in PdfReader(path).pages)
    found = re.findall(r"^([\d,]+) näme (\d+) (-?[\d,.]+) ", text, re.MULTILINE)
    assert [int(number.replace(",", "")) for number, *_ in found] == [int(number) for _, number, _ in found]
    return len(found), sum((Decimal(price.replace(",", "")) for *_, price in found), Decimal(0))


COUNTS: dict[Format, Callable[[Path], tuple[int, Decimal]]] = {
    "csv": csv_counts,
    "json": json_counts,
    "html": html_counts,
    "xlsx": xlsx_counts,
    "parquet": parquet_counts,
    "pdf": pdf_counts,
}


@pytest.mark.parametrize("file_format", COUNTS)
def test_rows_and_totals_equal_an_independent_count(tmp_path: Path, file_format: Format) -> None:
    path, done = made(tmp_path, file_format)
    found = COUNTS[file_format](path)
    assert found == (done.rows, done.totals["price"])
    assert found == (700, sum(row[2] for row in rows(700)))
    assert done.truncated is None


def test_json_and_parquet_hold_the_whole_manifest(tmp_path: Path) -> None:
    path, done = made(tmp_path, "json", WHY)
    assert json.loads(path.read_text("utf-8"))["manifest"] == facts(HEADING, done)
    assert done.truncated == WHY
    path, done = made(tmp_path, "parquet", WHY)
    with duckdb.connect() as database:
        found: Any = dict(database.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall())
    assert json.loads(found[b"manifest"]) == facts(HEADING, done)


def test_a_workbook_says_so_on_its_first_sheet_and_ends_with_the_manifest(tmp_path: Path) -> None:
    path, done = made(tmp_path, "xlsx", WHY)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["About", "Data", "Chart", "Manifest"]
    assert [cell.value for cell in book["About"][3]] == ["Truncated", WHY]
    found = dict(book["Manifest"].iter_rows(min_row=3, values_only=True))
    assert (found["Definition"], found["Version"], found["Rows"]) == ("Sales", "3", 700)
    assert (found["Total of price"], found["Complete"]) == (float(done.totals["price"]), f"no: {WHY}")


def test_a_page_says_so_above_the_table_and_ends_with_the_manifest(tmp_path: Path) -> None:
    path, done = made(tmp_path, "html", WHY)
    above, _, below = path.read_text("utf-8").partition("</table>")
    assert f'<p class="cut">Not complete: {WHY}</p>' in above.partition("<table>")[0]
    assert "<dt>Version</dt><dd>3</dd>" in below
    assert f"<dt>Total of price</dt><dd>{Language('en').number(done.totals['price'])}</dd>" in below
    assert f"<dt>Complete</dt><dd>no: {WHY}</dd>" in below


def test_a_pdf_says_so_on_its_first_page_and_ends_with_the_manifest(tmp_path: Path) -> None:
    path, done = made(tmp_path, "pdf", WHY)
    reader = PdfReader(path)
    assert f"Not complete: {WHY}" in reader.pages[0].extract_text().replace("\n", " ")
    last, total = reader.pages[-1].extract_text(), Language("en").number(done.totals["price"])
    assert f"Total of price\n{total}" in last or f"Total of price {total}" in last
    assert reader.metadata is not None
    assert "Version: 3; Region: =1+1 <all>; As of: Nov 21, 2026 09:00:00 UTC; Rows: 700; " in (
        reader.metadata.subject or ""
    )
    assert f"Complete: no: {WHY}" in (reader.metadata.subject or "")


@pytest.mark.parametrize("file_format", ["csv", "json", "html", "xlsx", "parquet", "pdf"])
def test_a_complete_file_does_not_say_that_it_is_not(tmp_path: Path, file_format: Format) -> None:
    path, done = made(tmp_path, file_format)
    assert done.truncated is None
    assert b"Not complete" not in path.read_bytes()
    assert b'class="cut"' not in path.read_bytes()
