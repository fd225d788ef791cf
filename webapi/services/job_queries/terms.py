"""The grammar: a text becomes terms, before anybody asks whether their names and values exist.

    query = { [ "-" ] ( name ":" value { "," value } | name comparison value | text ) }

Terms stand side by side and all of them hold; a comma is "or", a minus "not", quotation marks keep spaces and commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from webapi.errors import Malformed

LONGEST = 1000  # characters
MOST_TERMS = 30
MOST_VALUES = 50  # of one term

SPACE = re.compile(r"\s*")
NAME = re.compile(r"(-?)([A-Za-z_]+)(:(?:>=|<=|>|<)?|>=|<=|>|<)")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
BARE = re.compile(r'[^\s,"]+')
WORD = re.compile(r'[^\s"]+')
UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
WORDS_BETWEEN = {
    "OR": "Put a comma between the values, as in state:failed,expired.",
    "AND": "Leave it out: all terms have to hold.",
    "NOT": "Put a minus before the term, as in -kind:email.send.",
}


@dataclass(frozen=True)
class Term:
    """One condition: any of the values, or none of them. `name` is empty for text that stands by itself.

    `place` is where it begins and ends in the query.
    """

    name: str
    values: tuple[Any, ...]
    comparison: str = ""
    negative: bool = False
    place: tuple[int, int] = field(default=(0, 0), compare=False)


def split(text: str) -> list[Term]:
    """The terms of a query, with their values as text. Raises Malformed with a sentence that says what is wrong."""
    if len(text) > LONGEST:
        raise Malformed(f"A query has at most {LONGEST:,} characters.")
    if UNREADABLE.search(text):
        raise Malformed("The query holds a character that is no text.")
    found = list(_terms(text))
    if len(found) > MOST_TERMS:
        raise Malformed(f"A query has at most {MOST_TERMS} terms.")
    return found


def written(name: str, values: list[str]) -> str:
    """One term as somebody would write it."""
    return f"{name}:{','.join(map(quoted, values))}"


def quoted(value: str) -> str:
    """A value, in quotation marks where it needs them."""
    if BARE.fullmatch(value) and value[0] not in "<>":
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _terms(text: str) -> Iterator[Term]:
    at = _skip(text, 0)
    while at < len(text):
        begin, named = at, NAME.match(text, at)
        if named:
            values, at = _values(text, named.end(), named[0])
            yield Term(named[2].lower(), tuple(values), named[3].lstrip(":"), bool(named[1]), (begin, at))
        else:
            negative = text[at] == "-" and text[at + 1 : at + 2].strip() != ""
            value, at = _text(text, at + negative)
            yield Term("", (value,), negative=negative, place=(begin, at))
        if text[at : at + 1].strip():
            raise Malformed(f"Leave a space before {text[at : at + 20]}: a term ends there.")
        at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _values(text: str, at: int, term: str) -> tuple[list[str], int]:
    values = []
    while True:
        value, at = _value(text, at, term)
        values.append(value)
        if text[at : at + 1] != ",":
            break
        at += 1
    if len(values) > MOST_VALUES:
        raise Malformed(f"{term} takes at most {MOST_VALUES} values.")
    return values, at


def _value(text: str, at: int, term: str) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        return _quoted(text, at)
    found = BARE.match(text, at)
    if found is None:
        raise Malformed(f"Something is missing after {term} or after a comma behind it.")
    return found[0], found.end()


def _text(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        return _quoted(text, at)
    found = WORD.match(text, at)
    assert found is not None  # it begins with neither space nor quotation mark
    if found[0] in WORDS_BETWEEN:
        raise Malformed(f"{found[0]} is no word of this language. {WORDS_BETWEEN[found[0]]}")
    return found[0], found.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    found = QUOTED.match(text, at)
    if found is None:
        raise Malformed("A quotation mark is not closed.")
    value = re.sub(r"\\(.)", r"\1", found[1])
    if not value.strip():
        raise Malformed("There is nothing between the quotation marks.")
    return value, found.end()
