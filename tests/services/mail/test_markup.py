"""HTML is made ready without fetching anything, and without ending or filling the process."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from webapi.errors import Invalid
from webapi.services.mail.letters import Letter, prepare
from webapi.services.mail.markup import DEEPEST_LIST, MOST_ELEMENTS, as_text, inlined


def test_styles_stand_at_their_elements_and_media_rules_stay() -> None:
    html = "<style>p { color: red } @media print { p { color: black } }</style><p>x</p>"
    assert '<p style="color: red' in inlined(html)
    assert "@media print" in inlined(html)


def test_nothing_is_fetched_for_a_mail(tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    secret = tmp_path / "secret.css"
    secret.write_text("p { color: red }")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        links = [f"http://127.0.0.1:{server.server_port}/a.css", secret.as_uri(), str(secret)]
        for link in links:
            html = f'<link rel="stylesheet" href="{link}"><style>@import "{link}";</style><p>x</p>'
            assert "red" not in inlined(html)
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ("<div>" * 40_000, "more than 10,000 elements"),
        ("<b>" * 66_000, "more than 10,000 elements"),
        ("<style>p{--a:" + "x" * 90_000 + "}</style>" + "<p>x" * 9_000, "too many styles"),
        ("<style>p{--a:" + "x" * 90_000 + "}" + "<p>x" * 9_000, "too many styles"),
        ("<p>" + "".join(f"<b a{n}>" for n in range(2000)) + "<p>x" * 2000, "too many formats"),
        ("<p>" + "".join(f"<b a{n}><!--</b>-->" for n in range(2000)) + "<p>x" * 2000, "too many formats"),
        ("<p>" + "".join(f"<b a{n} t='</b>'>" for n in range(2000)) + "<p>x" * 2000, "too many formats"),
        ("<p>" + "".join(f'<b a="{n}>x</b>" c>' for n in range(2000)) + "<p>x" * 2000, "too many formats"),
    ],
    ids=["deep", "deep formats", "styles", "open styles", "formats", "hidden in comments", "in values", "in quotes"],
)
def test_what_would_end_or_fill_the_process_is_refused_before(html: str, sentence: str) -> None:
    """The first two ended it with a segmentation fault; the others made gigabytes of 200 kilobytes."""
    with pytest.raises(ValueError, match=sentence):
        inlined(html)


def test_the_deepest_that_is_let_through_does_not_end_a_thread() -> None:
    made: list[str] = []
    thread = threading.Thread(target=lambda: made.append(inlined("<div>" * MOST_ELEMENTS)))
    thread.start()
    thread.join()
    assert made[0].count("</div>") == MOST_ELEMENTS


def test_a_long_table_of_links_is_let_through() -> None:
    rows = '<tr><td><a href="https://example.com/x?a=1&amp;b=2" class="k"><b>x</b></a></td><td>1</td></tr>' * 1500
    page = inlined(f"<style>{'td { padding: 4px } ' * 100}</style><table>{rows}</table>")
    assert page.count("</a>") == 1500


@pytest.mark.parametrize("tag", ["blockquote", "ul", "ol"])
def test_lists_and_quotations_without_end_make_no_text(tag: str) -> None:
    assert "x" in as_text(f"<{tag}><li>x" * (DEEPEST_LIST // 2))
    with pytest.raises(ValueError, match="in one another"):
        as_text(f"<{tag}><li>x" * 4_000)


@pytest.mark.parametrize(
    "html",
    ["\n" * 199_000, "<!--" * 49_000, "<a href=" + " " * 190_000 + ">", "&" * 190_000, "<!" * 90_000, "<p " * 60_000],
    ids=["lines", "comments", "blanks", "ampersands", "declarations", "open tags"],
)
def test_no_html_takes_its_readers_long(html: str) -> None:
    """The first three took minutes: what a reader does for each character, it did for all the others each time."""
    began = time.monotonic()
    with contextlib.suppress(Invalid):
        prepare(Letter("Hi", html=html))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>{{first}}{{last}}</p>", "{{first}}{{last}}\n"),
        ("<p>{{sum}}EUR and {{sum}}0</p>", "{{sum}}EUR and {{sum}}0\n"),
        ("<p>{{a0}}0{{A_1}}</p>", "{{a0}}0{{A_1}}\n"),
        ('<a href="{{link}}">{{name}}</a>', "[{{name}}]({{link}})\n"),
        ('<a href="https://a.example/{{id}}/{{b}}0x">go</a>', "[go](https://a.example/{{id}}/{{b}}0x)\n"),
        ("<p>placeholder0a0 \ufdd0a\ufdd1</p>", "placeholder0a0 a\n"),
    ],
)
def test_the_places_stay_in_the_text(html: str, text: str) -> None:
    """A letter or a digit right behind a place made another of it."""
    assert as_text(html) == text


def test_a_literal_page_keeps_its_braces() -> None:
    assert as_text("<p>{{a}} {{{", literal=True) == "{{a}} {{{\n"


@pytest.mark.parametrize(
    "html",
    ['<a href="&#32;{{x}}">a</a>', '<a href="&Tab;{{x}}">a</a>', "<a href={{x}}>a</a>", '<a\nhref\t=\n"{{x}}">a</a>'],
)
def test_a_link_is_found_however_its_beginning_is_written(html: str) -> None:
    letter = prepare(Letter("Hi", html=html))
    assert "https://a.example" in letter.fill({"x": "https://a.example"}).html
    with pytest.raises(ValueError, match="begins a link"):
        letter.fill({"x": "javascript:alert(1)"})


def test_no_value_leaves_its_attribute() -> None:
    letter = prepare(Letter("Hi", html="<p class={{x}} title='{{x}}'>a</p>"))
    assert ' onclick=alert(1)"' in letter.fill({"x": "a onclick=alert(1)"}).html
    assert '<p class="&#34; onclick=' in letter.fill({"x": '" onclick="alert(1)'}).html
