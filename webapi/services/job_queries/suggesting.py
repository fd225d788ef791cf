"""What could come next in a query that somebody is writing, and how one term of it is exchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webapi.errors import Malformed
from webapi.models import State, User
from webapi.services import job_facets
from webapi.services.job_queries.fields import FIELDS, kinds
from webapi.services.job_queries.terms import quoted, split, written

MOST = 12
LAST = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])*\Z')
BEGUN = re.compile(r"(-?)([A-Za-z_]*)(?:(:(?:>=|<=|>|<)?|>=|<=|>|<)(.*))?", re.DOTALL)
AGES = ("15m", "1h", "1d", "7d", "30d")
DAYS = ("today", "yesterday")


@dataclass(frozen=True)
class Suggestion:
    """A whole query, with its last term completed, and a few words about that term."""

    query: str
    help: str


def suggest(owner: User, text: str) -> list[Suggestion]:
    """How the last term of a query may go on: first the names, after the colon the values. Never raises."""
    found = LAST.search(text)
    last = found[0] if found else ""
    before = text[: len(text) - len(last)]
    begun = BEGUN.fullmatch(last)
    if begun is None or len(text) > 500:
        return []
    minus, name, joint, rest = begun.groups()
    if joint is None:
        fields = [field for field in FIELDS.values() if field.name.startswith(name.lower())]
        return [Suggestion(f"{before}{minus}{field.name}:", f"{field.help}, as in {field.example}") for field in fields]
    if name.lower() not in FIELDS:
        return []
    earlier, comma, value = rest.rpartition(",")
    start = f"{before}{minus}{name}{joint}{earlier}{comma}"
    values = [each for each in _values(owner, name.lower()) if each.lower().startswith(value.lower().strip('"'))]
    given = set(earlier.split(","))
    return [Suggestion(start + quoted(each), FIELDS[name.lower()].help) for each in values if each not in given][:MOST]


def exchanged(text: str, name: str, values: list[str]) -> str:
    """The query with this term instead of those that it has for the name, so that a link narrows what is shown."""
    try:
        terms = split(text)
    except Malformed:
        return written(name, values)
    kept = [text[slice(*term.place)] for term in terms if term.name != name or term.negative]
    return " ".join([*kept, written(name, values)])


def _values(owner: User, name: str) -> Iterable[str]:
    if name == "state":
        return list(State)
    if name == "kind":
        return kinds()
    if name == "tag":
        return job_facets.recent(owner).tags
    if name == "error":
        return dict.fromkeys(cause.code for cause in job_facets.causes(owner))
    return {"older": AGES, "newer": AGES, "created": DAYS, "finished": DAYS}.get(name, ())
