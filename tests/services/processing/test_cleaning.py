"""What the steps make of a table, against the same in plain Python."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.processing.conftest import Desk
from webapi.errors import Permanent

ORDERS = "id,city,amount\n1, Bern ,1.5\n2,Basel,x\n3,Basel,7\n1,Bern,1.5\n4,,\n"


def test_texts_are_trimmed_and_counted(desk: Desk) -> None:
    _, rows, steps = desk.clean('a,b\n" x\u00a0",y\n"\tz", \n', trim=True)
    assert rows == [("x", "y"), ("z", "")]
    assert steps["trim"] == {"step": "trim", "changed": 3, "columns": {"a": 2, "b": 1}}


def test_what_does_not_fit_becomes_null_and_is_counted_with_the_first_examples(desk: Desk) -> None:
    content = "n\n" + "".join(f"{'bad' if number % 2 else number} \n" for number in range(1, 11))
    _, rows, steps = desk.clean(content, types={"n": "integer"})
    assert [row[0] for row in rows] == [None, 2, None, 4, None, 6, None, 8, None, 10]
    (misfit,) = steps["types"]["misfits"]
    assert (misfit["column"], misfit["count"]) == ("n", 5)
    assert misfit["examples"] == [{"row": row, "value": "bad"} for row in (1, 3, 5)]


def test_a_row_that_does_not_fit_can_be_dropped(desk: Desk) -> None:
    _, rows, steps = desk.clean(ORDERS, types={"amount": "number"}, on_error="drop")
    assert [row[0] for row in rows] == [1, 3, 1, 4]
    assert (steps["types"]["removed"], steps["types"]["misfits"][0]["count"]) == (1, 1)


def test_what_does_not_fit_can_be_the_end(desk: Desk) -> None:
    with pytest.raises(Permanent, match=r"^1 values of amount are no number; the first is 'x' in row 2\.$"):
        desk.clean(ORDERS, types={"amount": "number"}, on_error="fail")


def test_nothing_does_not_fail_to_fit(desk: Desk) -> None:
    _, rows, steps = desk.clean('n,m\n"",1\n"  ",2\n5,3\n', types={"n": "integer"}, on_error="fail")
    assert ([row[0] for row in rows], steps["types"]["misfits"]) == ([None, None, 5], [])


def test_the_filter_sees_clean_values_under_their_old_names(desk: Desk) -> None:
    names, rows, steps = desk.clean(
        ORDERS,
        trim=True,
        types={"amount": "number"},
        filter="amount > 1 and city = 'Bern' -- only those",
        drop=("amount",),
        rename={"id": "order"},
    )
    assert (names, rows) == (["order", "city"], [(1, "Bern"), (1, "Bern")])
    assert {each["step"]: each.get("removed") for each in steps.values()} == {
        "trim": None, "types": 0, "filter": 3, "columns": 1, "rename": None,
    }  # fmt: skip


def test_a_filter_that_is_neither_true_nor_false_removes_the_row(desk: Desk) -> None:
    assert [row[0] for row in desk.clean(ORDERS, filter="city <> 'Basel'")[1]] == [1, 1]


@pytest.mark.parametrize("text", ["town = 'x'", "amount > 'abc'::INT", "count(*) > 1", "no_function(id)", "city"])
def test_a_filter_that_cannot_be_asked_is_told_in_a_sentence(desk: Desk, text: str) -> None:
    with pytest.raises(Permanent, match=r"\.$"):
        desk.clean(ORDERS, filter=text)


def test_the_first_of_rows_that_are_alike_stays_where_it_was(desk: Desk) -> None:
    random.seed(5)
    given = [(random.choice("abc"), random.choice(["", "1", "2"]), str(number)) for number in range(3000)]
    content = "k,v,n\n" + "".join(f"{','.join(row)}\n" for row in given)
    seen: dict[tuple[str, str], str] = {}
    for key, value, number in given:
        seen.setdefault((key, value), number)
    _, rows, steps = desk.clean(content, dedupe_by=("k", "v"))
    assert [str(row[2]) for row in rows] == list(seen.values())
    assert steps["dedupe"]["removed"] == 3000 - len(seen)


def test_rows_are_alike_in_the_columns_that_are_kept(desk: Desk) -> None:
    assert len(desk.clean("a,b\n1,x\n1,y\n2,x\n", keep=("a",), dedupe=True)[1]) == 2
    assert len(desk.clean("a,b\n1,x\n1,y\n2,x\n", dedupe=True)[1]) == 3


def test_null_an_empty_text_and_the_word_are_three_things(desk: Desk) -> None:
    values = [{"a": None, "b": 1}, {"a": "", "b": 1}, {"a": "null", "b": 1}, {"a": None, "b": 1}, {"a": "", "b": 1}]
    assert [row[0] for row in desk.clean(values, dedupe=True)[1]] == [None, "", "null"]


def test_what_stands_in_two_cells_is_not_what_stands_in_one(desk: Desk) -> None:
    values = [{"a": 'x","y', "b": ""}, {"a": "x", "b": 'y","'}, {"a": "x", "b": "y"}]
    assert len(desk.clean(values, dedupe=True)[1]) == 3


def test_names_are_names_whatever_is_in_them(desk: Desk) -> None:
    values: list[dict[str, Any]] = [{'a"b': " x ", "SELECT": "1", "c; DROP TABLE data": "z", "_n": 2, "'": None}]
    names, rows, _ = desk.clean(values, trim=True, types={"SELECT": "integer"}, dedupe=True, rename={"'": "$x"})
    assert names == ['a"b', "SELECT", "c; DROP TABLE data", "_n", "$x"]
    assert rows == [("x", 1, "z", 2, None)]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=30))
def test_any_texts_are_trimmed_and_told_apart_as_python_does(desk: Desk, given: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("left", "right"), ("#", "#"), *given])
    table = desk.table([{"left": left, "right": right} for left, right in [("#", "#"), *given]])
    assert table.source.format == "ndjson"
    _, rows, _ = desk.clean([{"left": left, "right": right} for left, right in [("#", "#"), *given]], dedupe=True)
    assert rows == list(dict.fromkeys([("#", "#"), *given]))
