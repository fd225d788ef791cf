"""What a file proves about itself: the manifest that stands in it and beside it."""

from __future__ import annotations

from typing import Any

from webapi.services.formats.delimited import decimal_text
from webapi.services.formats.locales import Language
from webapi.services.formats.table import Heading, Written


def facts(heading: Heading, written: Written) -> dict[str, Any]:
    """The manifest as JSON can hold it, always in this order; who knows the file's sha256 adds it at the end.

    Totals are exact, so they are texts: a JSON number would lose digits in most readers. `truncated` is None
    where `complete` is true. `not_finite` counts the NaN and the infinities that no total includes.
    """
    return {
        "title": heading.title,
        "about": dict(heading.about),
        "parameters": dict(heading.parameters),
        "as_of": heading.as_of.isoformat(),
        "rows": written.rows,
        "totals": {name: decimal_text(total) for name, total in written.totals.items()},
        "not_finite": {name: count for name, count in written.not_finite.items() if count},
        "complete": written.truncated is None,
        "truncated": written.truncated,
    }


def entries(heading: Heading, written: Written, language: Language) -> list[tuple[str, Any]]:
    """The manifest for people: what each line is called, and its value as it is."""
    found: list[tuple[str, Any]] = [*heading.about.items(), *heading.parameters.items()]
    found += [(language.say("as_of"), heading.as_of), (language.say("rows"), written.rows)]
    for name, total in written.totals.items():
        found.append((f"{language.say('total')} {name}", total))
        if count := written.not_finite.get(name):
            found.append((f"{language.say('unsummed')} {name}", count))
    whole = language.text(written.truncated is None)
    return [*found, (language.say("complete"), f"{whole}: {written.truncated}" if written.truncated else whole)]


def lines(heading: Heading, written: Written, language: Language) -> list[tuple[str, str]]:
    """The same in the reader's language."""
    return [(name, language.text(value)) for name, value in entries(heading, written, language)]
