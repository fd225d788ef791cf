"""A text becomes terms whose names and values exist, or a sentence that says which do not and what is possible."""

from __future__ import annotations

import re
from dataclasses import replace

from webapi.errors import Malformed
from webapi.services.job_queries.fields import FIELDS, no_such
from webapi.services.job_queries.terms import Term, split

WHOLE_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
COLON = ":"
NOT_NAMED = 'To look for the text itself, put it into quotation marks: "{}".'


def read(text: str) -> tuple[Term, ...]:
    """The terms of a query, their values read. Raises Malformed with the first thing that is wrong."""
    terms = tuple(_checked(term) for term in split(text))
    seen: set[str] = set()
    for term in terms:
        if not term.name or term.negative or not FIELDS[term.name].single:
            continue
        if term.name in seen:
            raise Malformed(f"A job has one {term.name}, so give {term.name}: once, with a comma between the values.")
        seen.add(term.name)
    return terms


def _checked(term: Term) -> Term:
    if not term.name:
        return _as_id(term) if WHOLE_ID.fullmatch(term.values[0]) else term
    field = FIELDS.get(term.name)
    if field is None:
        error = no_such("filter", term.name, FIELDS)
        raise Malformed(f"{error.message} {NOT_NAMED.format(f'{term.name}{term.comparison or COLON}…')}")
    if term.comparison and not field.compared:
        raise Malformed(f"{term.name} is not compared by {term.comparison}. Write it like {field.example}.")
    if term.comparison and len(term.values) > 1:
        raise Malformed(f"{term.name}{term.comparison} takes one value.")
    values = tuple(each for value in term.values for each in field.read(value))
    return replace(term, values=values)


def _as_id(term: Term) -> Term:
    """A whole id that stands by itself was copied from somewhere."""
    return replace(term, name="id", values=tuple(FIELDS["id"].read(term.values[0])))
