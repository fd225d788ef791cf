"""A PDF holds the rows, all the columns and the heading, as text that can be searched and read aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from pypdf import PdfReader

from tests.services.formats.sample import COLUMNS, ODD, heading, odd, written
from webapi.services.formats import Chart, Column, write
from webapi.services.formats.locales import Language


def pages(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


def squeezed(text: str) -> str:
    """Without spaces, line ends and the places where a word may break."""
    return re.sub(r"[\s\u200b\u00ad\xa0\u202f]", "", text)


def test_every_value_is_there_in_the_order_of_the_rows(tmp_path: Path) -> None:
    columns = [Column("id", "integer"), Column("price", "number"), Column("note", "text")]
    values = [[n, n / 4, f"Ωμέγα Жук näïve € {n}"] for n in range(300)]
    done = write(tmp_path / "a.pdf", "pdf", heading(locale="de"), columns, values)
    text = squeezed(
        "".join(re.sub(r"\d+ von \d+\s*$", "", page).replace("id price note", "") for page in pages(tmp_path / "a.pdf"))
    )
    language = Language("de")
    found = [text.find(squeezed("".join(language.text(value) for value in row))) for row in values]
    assert -1 not in found
    assert found == sorted(found)
    assert (done.rows, done.truncated) == (300, None)


@pytest.mark.parametrize(
    ("locale", "words"), [("en", ["As of", "Nov 21, 2026", "1 of"]), ("fr", ["État au", "21 nov. 2026", "1 sur"])]
)
def test_the_first_page_says_what_the_rows_are(tmp_path: Path, locale: str, words: list[str]) -> None:
    written(tmp_path / "a.pdf", "pdf", 100, Chart("bar", "day", ("price",)), locale)
    first = squeezed(pages(tmp_path / "a.pdf")[0])
    assert not [word for word in [*words, "Sales & <more>", "Region", "=1+1 <all>"] if squeezed(word) not in first]


def test_each_page_has_the_header_and_its_number(tmp_path: Path) -> None:
    written(tmp_path / "a.pdf", "pdf", 300)
    found = pages(tmp_path / "a.pdf")
    assert len(found) > 2
    for number, page in enumerate(found, 1):
        assert squeezed(f"{number} of {len(found)}") in squeezed(page)
        assert "price" in page


def test_it_is_pdf_ua_with_title_and_language(tmp_path: Path) -> None:
    written(tmp_path / "a.pdf", "pdf", 3, Chart("line", "day", ("price",)), "de")
    reader = PdfReader(tmp_path / "a.pdf")
    root: Any = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("de", True)
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Sales & <more>"


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        written(tmp_path / name, "pdf", 40, Chart("area", "at", ("price", "ratio")))
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def boxes(path: Path) -> Iterable[tuple[float, float]]:
    for page in PdfReader(path).pages:
        found: list[float] = []
        page.extract_text(
            visitor_text=lambda text, cm, tm, *_, kept=found: (
                kept.append(tm[4] * cm[0] + cm[4]) if text.strip() else None
            )
        )
        yield max(found), float(page.mediabox.width)


@pytest.mark.parametrize(("count", "widest"), [(20, 842), (60, 4000)])
def test_twenty_columns_lie_landscape_and_none_is_left_out(tmp_path: Path, count: int, widest: int) -> None:
    columns = [Column(f"column{number:02}", "text") for number in range(count)]
    write(tmp_path / "a.pdf", "pdf", heading(), columns, [[f"v{n}c{c}" for c in range(count)] for n in range(30)])
    text = squeezed("".join(pages(tmp_path / "a.pdf")))
    assert not [name for name in (column.name for column in columns) if name not in text]
    assert not [n for n in range(30) if any(f"v{n}c{c}" not in text for c in range(count))]
    for right, width in boxes(tmp_path / "a.pdf"):
        assert 841 < width <= widest
        assert right < width - 30


def test_ten_thousand_rows_and_no_more_are_written_and_that_is_said(tmp_path: Path) -> None:
    done = write(tmp_path / "a.pdf", "pdf", heading(), [Column("n", "integer")], ([n] for n in range(10_500)))
    found = pages(tmp_path / "a.pdf")
    assert (done.rows, int(done.totals["n"])) == (10_000, sum(range(10_000)))
    assert done.truncated == "truncated at 10,000 rows because a PDF holds no more"
    assert squeezed("Only the first 10,000 rows are here, because a PDF holds no more.") in squeezed(found[0])
    assert "9,999" in found[-1]
    assert not any("10,001" in page for page in found)


def test_a_text_that_is_too_long_is_cut_and_that_is_said(tmp_path: Path) -> None:
    done = odd(tmp_path / "a.pdf", "pdf", "word " * 6554)
    assert done.truncated == "2 texts truncated at 4,000 characters because a page holds no more"
    assert squeezed("Texts cut at 4,000 characters, because a page holds no more: 2.") in squeezed(
        "".join(pages(tmp_path / "a.pdf"))
    )


@pytest.mark.parametrize(
    "text", ["#panic()", "$ x $", "*b* _c_ `d` <l> @r", '#import "/etc/passwd"', "\\ // /* ", "= Title"]
)
def test_what_people_wrote_is_never_markup(tmp_path: Path, text: str) -> None:
    odd(tmp_path / "a.pdf", "pdf", text, name=text)
    assert squeezed("".join(pages(tmp_path / "a.pdf"))).count(squeezed(text)) >= 4


def test_no_rows_are_a_sentence_instead_of_a_chart(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", "pdf", heading(Chart("bar", "day", ("price",))), COLUMNS, [])
    text = squeezed(pages(tmp_path / "a.pdf")[0])
    assert squeezed("No chart: there is nothing to draw.") in text
    assert squeezed("There are no rows.") in text


@settings(deadline=None, max_examples=15)
@given(ODD)
def test_any_text_can_be_written(text: str) -> None:
    with TemporaryDirectory() as folder:
        assert odd(Path(folder, "a.pdf"), "pdf", text, name="x" + text).rows == 2
        assert len(PdfReader(Path(folder, "a.pdf")).pages) >= 1


def test_a_letter_that_no_font_has_does_not_fail(tmp_path: Path) -> None:
    done = odd(tmp_path / "a.pdf", "pdf", "漢字 \U000e0041 \ue000 \U0001fae8")
    assert (done.rows, len(pages(tmp_path / "a.pdf"))) == (2, 1)
