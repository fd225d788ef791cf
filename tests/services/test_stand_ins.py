"""An address is found however it is written, and its stand-in says nothing of it."""

from __future__ import annotations

import json

import pytest

from webapi.services.stand_ins import stand_in, without

BOB = "bob@example.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("To BOB@example.com, bob@example.com.", "To X, X."),
        ({"bob@example.com": ["a", {"b": "bob@example.com"}]}, {"X": ["a", {"b": "X"}]}),
        ("<bob@example.com>, to=bob@example.com: 'bob@example.com'", "<X>, to=X: 'X'"),
        ("-bob@example.com ... _bob@example.com_ ...bob@example.com- --bob@example.com", "-X ... _X_ ...X- --X"),
        ("\nbob@example.com\n\u0130 bob@example.com.", "\nX\n\u0130 X."),
        ([None, 1, True], [None, 1, True]),
    ],
)
def test_every_string_of_a_document_loses_it(value: object, expected: object) -> None:
    assert json.dumps(without(value, BOB, "X")) == json.dumps(expected)


@pytest.mark.parametrize(
    "other",
    [
        "notbob@example.com",
        "x.bob@example.com",
        "x+bob@example.com",
        "x_bob@example.com",
        "x-bob@example.com",
        "bob@example.com.au",
        "bob@example.com-pany.org",
        "bob@example.company",
        "\u00e4bob@example.com",
    ],
)
def test_an_address_that_holds_it_is_another_ones(other: str) -> None:
    assert without({"to": [other, f"To {other}."]}, BOB, "X") == {"to": [other, f"To {other}."]}


def test_the_stand_in_is_as_long_and_by_chance() -> None:
    one, other = stand_in(BOB), stand_in(BOB)
    assert (len(one), one != other, "@" in one) == (len(BOB), True, False)
