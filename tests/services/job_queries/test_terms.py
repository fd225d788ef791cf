"""The grammar: what is written becomes terms, or a sentence that says what is wrong."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.errors import Malformed
from webapi.services.job_queries.terms import Term, split, written


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  \t ", []),
        ("kind:email.send", [Term("kind", ("email.send",))]),
        ("State:failed,uncertain", [Term("state", ("failed", "uncertain"))]),
        ("-tag:a,b", [Term("tag", ("a", "b"), negative=True)]),
        ("created>2026-11-01", [Term("created", ("2026-11-01",), ">")]),
        ("created:>=2026-11-01", [Term("created", ("2026-11-01",), ">=")]),
        ('tag:"a b, c",d', [Term("tag", ("a b, c", "d"))]),
        (r'"say \"hi\" \\"', [Term("", (r'say "hi" \ '[:-1],))]),
        ("free text", [Term("", ("free",)), Term("", ("text",))]),
        ('-"not this"', [Term("", ("not this",), negative=True)]),
        ("-", [Term("", ("-",))]),
        ('"kind:x"', [Term("", ("kind:x",))]),
        ("a,b", [Term("", ("a,b",))]),
    ],
)
def test_what_is_written_is_read(text: str, terms: list[Term]) -> None:
    assert split(text) == terms


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("state:", "missing after state:"),
        ("state:failed,", "missing after state:"),
        ("state:,failed", "missing after state:"),
        ('"open', "not closed"),
        ('tag:""', "nothing between"),
        ('tag:"a"b', "Leave a space before b"),
        ("kind:a OR kind:b", "comma between the values"),
        ("a AND b", "all terms have to hold"),
        ("NOT a", "minus before the term"),
        ("a\0b", "no text"),
        ("x" * 1001, "at most 1,000 characters"),
        ("x " * 31, "at most 30 terms"),
        ("tag:" + ",".join(["x"] * 51), "at most 50 values"),
    ],
)
def test_what_cannot_be_read_is_answered_by_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        split(text)


@given(st.text())
def test_any_text_is_terms_or_a_sentence(text: str) -> None:
    with suppress(Malformed):
        places = [term.place for term in split(text)]
        left = text
        for begin, end in reversed(places):
            left = left[:begin] + left[end:]
        assert not left.strip()


VALUES = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=15), min_size=1, max_size=3
)


@given(VALUES.filter(lambda values: all(value.strip() for value in values)))
def test_a_term_that_was_written_is_read_as_it_was_meant(values: list[str]) -> None:
    assert split(written("tag", values)) == [Term("tag", tuple(values))]
