"""How cells are separated, and which row does not fit."""

from __future__ import annotations

import pytest

from webapi.services.queries.dialects import announced, delimiter, has_decimal_commas, odd_row


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("a,b\n1,2\n", ","),
        ("id;preis\n1;3,50\n2;4,75\n", ";"),
        ('a\tb\n"x;y"\t2\n', "\t"),
        ("a|b|c\n1,5|2|3\n", "|"),
        ('a,b\n"x\ny;z",2\n', ","),
        ("name\nx\ny\n", None),
    ],
)
def test_the_delimiter_makes_rows_as_wide_as_the_first(head: str, mark: str | None) -> None:
    assert delimiter(head, '"') == mark


def test_a_first_line_may_name_the_delimiter() -> None:
    assert (announced("sep=;\na;b\n"), announced("sep,a\n")) == (";", None)


def test_decimal_commas_are_seen() -> None:
    assert has_decimal_commas('a;"3,50"\n')
    assert not has_decimal_commas("a;3.50;1,234,567\n")


def test_the_row_that_does_not_fit_is_named() -> None:
    lines = ["a,b\n", '"x\n', 'y",2\n', "3\n"]
    assert odd_row(lines, ",", '"', 0) == "has 1 cells in line 4 and 2 in its first"
    assert odd_row(["a,b\n", '1,"x\n', "2,y\n"], ",", '"', 0) == (
        "has a quote too many or too few in the row that begins in line 2"
    )
    assert odd_row(["title\n", "a,b\n", "1,2\n"], ",", '"', 1) is None
