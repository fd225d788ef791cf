"""HTML is parsed back into what was written; nothing in it runs or is fetched."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from tests.services.formats.sample import COLUMNS, ODD, heading, odd, rows, written
from webapi.services.formats import Chart, Column, write
from webapi.services.formats.cells import encodable, visible
from webapi.services.formats.locales import Language


class Page(HTMLParser):
    """The tags, the cells by row, and the text by tag."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data
            if self._open[-1] in ("td", "th"):
                self.rows[-1][-1] += data


@pytest.mark.parametrize("locale", ["en", "de", "fr"])
def test_rows_read_back_in_the_readers_language(tmp_path: Path, locale: str) -> None:
    written(tmp_path / "a.html", "html", 1200, locale=locale)
    head, *found = Page(tmp_path / "a.html").rows
    language = Language(locale)
    assert head == [column.name for column in COLUMNS]
    assert found == [[language.text(value) for value in row] for row in rows(1200)]


def test_numbers_stand_on_the_right_and_the_head_stays(tmp_path: Path) -> None:
    written(tmp_path / "a.html", "html", 2)
    page = Page(tmp_path / "a.html")
    assert [attrs.get("class") for tag, attrs in page.tags if tag == "td"][:4] == ["n", "t", "n", "n"]
    assert ".n{text-align:end" in page.texts["style"][0]
    assert "position:sticky" in page.texts["style"][0]
    assert "prefers-color-scheme:dark" in page.texts["style"][0]


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    odd(tmp_path / "a.html", "html", "<script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp;")
    page = Page(tmp_path / "a.html")
    assert not {"script", "img", "link", "iframe", "object", "image"} & {tag for tag, _ in page.tags}
    assert not [
        name
        for _, attrs in page.tags
        for name in attrs
        if name.startswith("on") or (name in ("src", "href") and not (attrs[name] or "").startswith("#"))
    ]
    assert page.texts["h1"] == ["<script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp;"]


def test_the_chart_is_in_the_page_with_its_sentence(tmp_path: Path) -> None:
    written(tmp_path / "a.html", "html", 2000, Chart("line", "day", ("price", "ratio")), "de")
    page = Page(tmp_path / "a.html")
    assert page.texts["figcaption"] == ["Gezeichnet ist eine von je 4 Zeilen, von 2.000."]
    assert [tag for tag, _ in page.tags].count("svg") == 1
    assert "xml" not in (tmp_path / "a.html").read_text("utf-8").partition("<svg")[0]


def test_no_rows_are_a_sentence(tmp_path: Path) -> None:
    write(
        tmp_path / "a.html",
        "html",
        heading(Chart("bar", "day", ("n",))),
        [Column("day", "date"), Column("n", "integer")],
        [],
    )
    page = Page(tmp_path / "a.html")
    assert page.texts["p"] == ["There are no rows."]
    assert page.texts["figcaption"] == ["No chart: there is nothing to draw."]
    assert "svg" not in page.texts


@settings(deadline=None, max_examples=30)
@given(ODD)
def test_any_text_reads_back(text: str) -> None:
    with TemporaryDirectory() as folder:
        odd(Path(folder, "a.html"), "html", text, name="x" + text)
        page = Page(Path(folder, "a.html"))
    shown = visible(encodable(text))
    assert page.rows == [["x" + shown, "n"], [shown, "1"], [shown, "2"]]
