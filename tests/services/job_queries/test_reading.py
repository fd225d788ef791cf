"""Names and values that exist, and sentences about those that do not."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from webapi.errors import Malformed
from webapi.models import State
from webapi.services.job_queries import Term, read
from webapi.services.job_queries.fields import FIELDS

pytestmark = pytest.mark.usefixtures("declared")
JOB = "0193a7c2-0000-7000-8000-000000000001"


def test_values_become_what_they_mean() -> None:
    assert read("state:FAILED,uncertain -kind:email.send older:1h") == (
        Term("state", (State.FAILED, State.UNCERTAIN)),
        Term("kind", ("email.send",), negative=True),
        Term("older", (3600,)),
    )


def test_a_star_stands_for_the_rest_of_a_kind() -> None:
    (term,) = read("kind:email.*")
    assert {"email.send", "email.bulk"} <= set(term.values)
    assert not {"email.part", "report.build"} & set(term.values)


def test_the_beginning_of_an_id_is_all_ids_that_begin_so() -> None:
    (term,) = read("id:0193A7C2-00")
    first, last = UUID("0193a7c2" + "0" * 24), UUID("0193a7c200" + "f" * 22)
    assert term.values == ((first, last),)


def test_a_whole_id_by_itself_is_meant_as_an_id() -> None:
    assert read(JOB) == read(f"id:{JOB}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("state:done", "There is no state 'done'. States: cancelled, expired, failed"),
        ("state:fialed", "Did you mean failed?"),
        ("kind:email.sent", "There is no kind 'email.sent'. Did you mean email.send? Kinds: "),
        ("kind:x*", "There is no kind 'x*'"),
        ("stat:failed", "There is no filter 'stat'. Did you mean state? Filters: "),
        ("http://example.com", 'put it into quotation marks: "http:…"'),
        ("older:soon", "'soon' is no age."),
        ("created:soon", "'soon' is no time."),
        ("id:xyz", "'xyz' is not how an id begins."),
        ("state>failed", "state is not compared by >."),
        ("created>today,yesterday", "created> takes one value."),
        ("state:failed state:expired", "A job has one state"),
        ("tag:" + "x" * 201, "at most 200 characters"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(text: str, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(text)
    assert sentence in refused.value.message


def test_a_hidden_kind_is_found_by_its_name_and_not_offered() -> None:
    assert read("kind:email.part")[0].values == ("email.part",)
    with pytest.raises(Malformed) as refused:
        read("kind:email.prt")
    assert "Kinds: " in refused.value.message
    assert "email.part" not in refused.value.message.partition("Kinds:")[2]


PIECE = st.sampled_from(
    [*FIELDS, ":", ">", "<=", "-", ",", '"', " ", "failed", "1h", "today", "..", "*", "\\", "é", "\0"]
)


@given(st.one_of(st.text(), st.lists(PIECE, max_size=20).map("".join)))
def test_any_text_is_terms_or_a_sentence(declared: Flask, text: str) -> None:
    with declared.app_context(), suppress(Malformed):
        assert all(term.values for term in read(text))
