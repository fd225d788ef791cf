"""What is wanted, against the columns that there are."""

from __future__ import annotations

from typing import Any

import pytest

from webapi.errors import Permanent
from webapi.services.processing.columns import Column
from webapi.services.processing.plan import Cleaning, Plan

COLUMNS = [Column("id", "BIGINT"), Column("City", "VARCHAR"), Column("_n", "DOUBLE")]


def plan(**steps: Any) -> Plan:
    return Plan("table", COLUMNS, Cleaning(**steps))


def test_names_are_found_whatever_their_case() -> None:
    made = plan(types={"CITY": "date", "id": "integer"}, drop=("ID",), rename={"city": "Town"}, dedupe_by=("id",))
    assert (made.names, [each.name for each in made.types], made.dedupes) == (["Town", "_n"], ["City"], True)


def test_no_column_of_ours_has_a_name_of_the_tables() -> None:
    assert plan().mark == "__"


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ({"types": {"town": "text"}}, "types: there is no column 'town'. There are: id, City, _n."),
        ({"keep": ("a\0",)}, "keep: there is no column 'a\ufffd'. There are: id, City, _n."),
        ({"dedupe_by": ('"id"',)}, "dedupe_by: there is no column '\"id\"'. There are: id, City, _n."),
        ({"rename": {"id": "CITY"}}, "Two columns would be called 'city'."),
        ({"drop": ("id", "city", "_n")}, "No column would be left."),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(steps: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Permanent) as caught:
        plan(**steps)
    assert caught.value.message == sentence


def test_a_name_may_go_to_another_column_when_its_own_goes() -> None:
    assert plan(rename={"id": "City", "City": "id"}).names == ["City", "id", "_n"]


def test_only_steps_make_a_cleaning() -> None:
    assert not Cleaning(on_error="fail")
    assert Cleaning(trim=True)
