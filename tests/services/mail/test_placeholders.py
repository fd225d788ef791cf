"""Logic-less text: a value is never read again, and where a link begins only a link may stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from webapi.services.mail.placeholders import LARGEST, Missing, Text, as_name, check_link


@pytest.mark.parametrize(
    "source", ["{{name}}", "{{ name }}", "{{\tNAME\t}}", "{{Name}}"], ids=["bare", "blanks", "tabs", "case"]
)
def test_a_place_is_found_in_every_way_of_writing_it(source: str) -> None:
    assert (Text(source).names, Text(source).fill({"name": "Ada"})) == (("name",), "Ada")


@pytest.mark.parametrize(
    "source",
    ["{{", "}}", "{{}}", "{{ }}", "{{1a}}", "{{a b}}", "{{a.b}}", "{{a|safe}}", "{{a()}}", "{{ä}}", "{{a", "a}}",
     "{{{{a}}}}", "{{a\n}}", "{{#if a}}", "{{" + "a" * 64 + "}}", "{{_a}}"],
)  # fmt: skip
def test_braces_that_are_no_place_are_named(source: str) -> None:
    with pytest.raises(ValueError, match="is no placeholder"):
        Text(source)


@pytest.mark.parametrize("source", ["{a}", "{% if a %}", "{ {a} }", "${a}", "#{a}", "<%= a %>", "%(a)s", "{a", "}{"])
def test_nothing_else_means_anything(source: str) -> None:
    assert Text(source).fill({"a": "no"}) == source


@given(st.text(), st.text())
def test_what_is_filled_in_is_never_read_again(first: str, second: str) -> None:
    values = {"first": first, "second": second, "b": "no"}
    assert Text("{{first}}|{{second}}").fill(values) == f"{first}|{second}"
    assert Text("{{first}}").fill({"first": "{{second}}" + second, "second": "no"}) == "{{second}}" + second


def test_places_side_by_side_make_no_new_one() -> None:
    assert Text("{{a}}{{b}}{{a}}").fill({"a": "{", "b": "{b}"}) == "{{b}{"


def test_a_value_is_escaped_where_it_is_asked_for() -> None:
    text = Text("<p title='{{a}}'>{{A}}</p>")
    assert text.fill({"a": "<b>\"'&"}, lambda value: str(escape(value))).count("&lt;b&gt;&#34;&#39;&amp;") == 2
    assert text.fill({"a": "<b>"}) == "<p title='<b>'><b></p>"


def test_what_is_missing_is_named_once_and_in_lower_case() -> None:
    with pytest.raises(Missing) as missing:
        Text("{{a}} {{First_Name}}").fill({"a": "x"})
    assert missing.value.name == "first_name"


def test_a_literal_text_has_no_places() -> None:
    text = Text("{{a}} {{{ }}", literal=True)
    assert (text.names, text.links, text.fill({"a": "no"})) == ((), (), "{{a}} {{{ }}")


def test_no_text_grows_too_long_and_none_is_put_together_to_find_out() -> None:
    """40,000 places times 20,000 characters would be 800 MB."""
    with pytest.raises(ValueError, match="longer than 1,000,000 characters"):
        Text("{{a}}" * 40_000).fill({"a": "x" * 20_000})
    assert len(Text("{{a}}" * 10).fill({"a": "x" * (LARGEST // 10)})) == LARGEST


@pytest.mark.parametrize(
    "html",
    ['<a href="{{x}}">', "<a href='{{x}}'>", "<a href={{x}}>", '<A HREF = " {{ x }}/a">', '<img src="\n{{X}}">',
     '<form action="{{x}}">', '<svg xlink:href="{{x}}">', '<table background="{{x}}">', '<video poster="{{x}}">'],
)  # fmt: skip
def test_where_a_link_begins_is_found(html: str) -> None:
    assert Text(html).links == ("x",)


@pytest.mark.parametrize("html", ['<a href="https://a.example/{{x}}">', "<p>{{x}}</p>", '<p title="{{x}}">'])
def test_where_none_begins_none_is_found(html: str) -> None:
    assert Text(html).links == ()


@pytest.mark.parametrize("value", ["https://a", "HTTP://a", "http://a", "mailto:a@b.example", "MailTo:a", "tel:+41"])
def test_a_link_may_begin_a_link(value: str) -> None:
    check_link("x", value)


@pytest.mark.parametrize(
    "value",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:x", "\tjavascript:x", "java\tscript:x", "a\nscript:x",
     "\x01javascript:x", "&#106;avascript:x", "javascript&colon;x", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
     "//evil.example", "/path", "", " https://a", "\nhttps://a", "https:a", "http:/a", "ftp://a", "blob:x", "view:x",
     "javascript://https://a", "x\nhttps://a", "\u2028https://a", "ｊavascript:x", "feed:https://a", "intent://x"],
)  # fmt: skip
def test_anything_else_may_not(value: str) -> None:
    with pytest.raises(ValueError, match="begins a link"):
        check_link("x", value)


@pytest.mark.parametrize(
    ("column", "name"),
    [("First name", "first_name"), (" E-Mail ", "e_mail"), ("a__b", "a_b"), ("Größe", "gr_e"), ("--", "")],
)
def test_a_column_has_the_name_by_which_a_place_means_it(column: str, name: str) -> None:
    assert as_name(column) == name
