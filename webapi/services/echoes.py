"""Answers that repeat what they were sent: a secret of the request is blotted out before anybody keeps the answer."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from webapi.services.http import Answer

SHORTEST = 6  # characters; a shorter secret is found in any text, and guards nothing
LEAST_PART = 4  # characters of a secret at which the end of a text was cut
BLOT = "…"


def blotted(answer: Answer, secrets: Sequence[str]) -> Answer:
    """The answer without the secrets, however they are quoted. What is encoded otherwise is not recognised."""
    words = _spellings(secrets)
    return replace(
        answer,
        headers={name: _clean(value, words) for name, value in answer.headers.items()},
        body=answer.body and _clean(answer.body, words),
    )


def _spellings(secrets: Sequence[str]) -> list[str]:
    """Each secret and its last word (`Bearer <token>`): plain, and as JSON, HTML and URLs write it; longest first."""
    parts = {part for secret in secrets for part in (secret, secret.rpartition(" ")[2]) if len(part) >= SHORTEST}
    found = {word for part in parts for word in (part, json.dumps(part)[1:-1], html.escape(part), quote(part, safe=""))}
    return sorted(found, key=len, reverse=True)


def _clean(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = text.replace(word, BLOT)
    # Where the text was cut, there may be the first part of one.
    for word in words:
        for length in range(min(len(word), len(text)), LEAST_PART - 1, -1):
            if text.endswith(word[:length]):
                return text[:-length] + BLOT
    return text
