"""The names of the language, and how the values of each are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from flask import current_app

from webapi.errors import Malformed
from webapi.models import State
from webapi.services.job_queries import times

HEX = re.compile(r"[0-9a-f]{1,32}")
LONGEST_VALUE = 200  # characters


@dataclass(frozen=True)
class Field:
    """`read` turns one value into a tuple of what it means and raises Malformed.

    Of a field that is `single` a job has one value, so that two terms for it cannot both hold. `compared` ones take
    `>`, `>=`, `<` and `<=` too.
    """

    name: str
    help: str
    example: str
    read: Callable[[str], Iterable[Any]]
    single: bool = True
    compared: bool = False


def kinds() -> list[str]:
    """The kinds that lists show."""
    return sorted(kind.name for kind in current_app.extensions["kinds"].values() if not kind.hidden)


def no_such(what: str, given: str, possible: Iterable[str]) -> Malformed:
    """An error that says what is possible, and what was probably meant."""
    names = sorted(possible)
    near = get_close_matches(given.lower(), names, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return Malformed(f"There is no {what} {given[:60]!r}.{meant} {what.capitalize()}s: {', '.join(names)}.")


def _state(text: str) -> list[State]:
    try:
        return [State(text.lower())]
    except ValueError:
        raise no_such("state", text, list(State)) from None


def _kind(text: str) -> list[str]:
    declared = current_app.extensions["kinds"]
    found = [text] if text in declared else []
    if text.endswith("*"):
        found = [name for name in kinds() if fnmatchcase(name, text.replace("[", "[[]"))]
    if not found:
        raise no_such("kind", text, kinds())
    return found


def _plain(text: str) -> list[str]:
    if len(text) > LONGEST_VALUE:
        raise Malformed(f"A value has at most {LONGEST_VALUE} characters.")
    return [text]


def _id(text: str) -> list[tuple[UUID, UUID]]:
    """The first and the last id that begin so."""
    digits = text.lower().replace("-", "")
    if not HEX.fullmatch(digits):
        raise Malformed(
            f"{text[:60]!r} is not how an id begins. Write one like 0193a7c2, with as many digits as you have."
        )
    return [(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))]


def _age(text: str) -> list[int]:
    return [times.read_age(text)]


def _span(text: str) -> list[times.Span]:
    return [times.read_span(text, datetime.now(UTC))]


FIELDS = {
    field.name: field
    for field in (
        Field("state", "where the job is", "state:failed,uncertain", _state),
        Field("kind", "what it does", "kind:email.send", _kind),
        Field("tag", "a tag that it was given", "tag:invoice", _plain, single=False),
        Field("error", "the code of its error", "error:refused", _plain),
        Field("older", "accepted longer ago than", "older:1h", _age),
        Field("newer", "accepted less long ago than", "newer:2d", _age),
        Field("created", "when it was accepted", "created:today", _span, single=False, compared=True),
        Field("finished", "when it ended", "finished>=2026-11-01", _span, single=False, compared=True),
        Field("schedule", "the schedule that submitted it", "schedule:0193a7c2", _id),
        Field("id", "its id, or how that begins", "id:0193a7c2", _id),
    )
}
