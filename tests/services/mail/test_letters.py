"""Letters: what a mail says, made ready once, and refused before it is accepted when it cannot be filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from webapi.errors import Invalid
from webapi.services.mail.letters import Letter, built_in, check, prepare
from webapi.services.mail.placeholders import Missing

pytestmark = pytest.mark.usefixtures("owner")
OWN = [path.stem for path in (Path("webapi/templates/email")).glob("*.html") if path.stem != "layout"]


def test_a_value_is_escaped_in_html_and_not_in_the_text() -> None:
    said = prepare(Letter("{{a}}", "{{a}}", "<p title='{{a}}'>{{a}}</p>")).fill({"a": "<b>&\"'"})
    assert (said.subject, said.text) == ("<b>&\"'", "<b>&\"'\n")
    assert said.html.count("&lt;b&gt;&amp;&#34;&#39;") == 2


@pytest.mark.parametrize(
    "value", ["a\nb", "a\rb", "a\r\nBcc: eve@example.com", "a\0", "a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "a\x1bb"]
)
def test_no_value_begins_another_header(value: str) -> None:
    with pytest.raises(Invalid, match="one line"):
        check(Letter("For {{a}}", "Hi."), {"a": value})
    check(Letter("Hi", "{{a}}"), {"a": value})
    with pytest.raises(Invalid, match="one line"):
        prepare(Letter(f"For {value}", "Hi."))


@pytest.mark.parametrize("place", ["subject", "text", "html"])
def test_what_is_missing_is_named_before_anything_is_accepted(place: str) -> None:
    letter = replace(Letter("Hi", "Hi", "<p>Hi"), **{place: "{{First_Name}}"})  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=r"no value for \{\{first_name\}\}"):
        check(letter, {})
    check(letter, {"first_name": ""})


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", " JAVASCRIPT:x", "java\tscript:x", "&#106;avascript:x", "data:x"]
)
def test_a_link_of_another_kind_is_refused_before_anything_is_accepted(link: str) -> None:
    with pytest.raises(Invalid, match="link begins a link"):
        check(Letter("Hi", html='<a href="{{link}}">x</a>'), {"link": link})


def test_braces_that_are_no_place_are_refused_with_a_sentence() -> None:
    with pytest.raises(Invalid, match="is no placeholder"):
        prepare(Letter("Hi", html="<p>{{a.b}}</p>"))


def test_the_names_are_those_that_a_recipient_needs_in_the_order_of_reading() -> None:
    letter = prepare(Letter("{{b}}", "{{c}} {{unsubscribe_url}}", "<p>{{a}}{{B}}</p>", bulk=True))
    assert (letter.names, letter.unsubscribes) == (("b", "a", "c"), True)
    assert not prepare(Letter("a", "unsubscribe_url")).unsubscribes


def test_a_bulk_letter_says_how_to_get_no_more() -> None:
    for letter in (Letter("Hi", "Text.", bulk=True), Letter("Hi", html="<p>x", layout=True, bulk=True)):
        said = prepare(letter).fill({"unsubscribe_url": "https://a.example/u"})
        assert "https://a.example/u" in said.text
        assert "https://a.example/u" in (said.html or said.text)


def test_a_letter_stands_in_the_frame_and_a_whole_document_does_not(ground: Flask) -> None:
    before, ground.config["MAIL_FOOTER"] = ground.config["MAIL_FOOTER"], "Ada & Co <x>"
    framed = prepare(Letter("Hi", html="<p>x</p>", layout=True)).fill({})
    whole = prepare(Letter("Hi", html=" <!DOCTYPE html><p>x</p>", layout=True)).fill({})
    bare = prepare(Letter("Hi", html="<p>x</p>")).fill({})
    ground.config["MAIL_FOOTER"] = before
    assert "Ada &amp; Co &lt;x&gt;" in framed.html
    assert framed.text.endswith("-- \nAda & Co <x>\n")
    assert "Ada" not in whole.html + bare.html + bare.text


def test_a_text_of_blanks_beside_html_is_none() -> None:
    assert prepare(Letter("Hi", " \n", "<p>Hello</p>")).fill({}).text == "Hello\n"


def test_a_letter_that_is_no_template_says_what_it_says() -> None:
    said = prepare(Letter("{{a}}", "{{{ {{b}}", "<p>}} {{c}}</p>", literal=True)).fill({"a": "no"})
    assert (said.subject, said.text) == ("{{a}}", "{{{ {{b}}\n")
    assert "<p>}} {{c}}</p>" in said.html


@pytest.mark.parametrize("name", OWN)
def test_each_mail_of_our_own_can_be_filled_in(name: str) -> None:
    letter = prepare(built_in(name))
    values = dict.fromkeys(letter.names, "https://a.example/<b>")
    said = letter.fill(values)
    assert said.subject
    assert "<b>" not in said.html
    for missing in letter.names:
        with pytest.raises(Missing):
            letter.fill({name: value for name, value in values.items() if name != missing})
