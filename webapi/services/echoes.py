"""Answers that repeat what they were sent: a secret of the request is blotted out before anybody keeps the answer."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from webapi.services.http import Answer

SHORTEST = 6  # characters; a shorter secret is found in any text, and guards nothing
LEAST_PART = 4  # characters of a secret at which the end of a text was cut
BLOT = "…"
ESCAPED = ("<>&'", "<>&'+", "<>&'+/=")  # by some writers of JSON, although they need not


def blotted(answer: Answer, secrets: Sequence[str]) -> Answer:
    """The answer without the secrets, however they are quoted. What is encoded otherwise is not recognised."""
    words = _spellings(secrets)
    return replace(
        answer,
        headers={name: _clean(value, words) for name, value in answer.headers.items()},
        body=answer.body and _clean(answer.body, words),
    )


def _spellings(secrets: Sequence[str]) -> list[str]:
    """Each secret and its parts (`Bearer <token>`, `a=1; session=<token>`), as JSON, HTML and URLs write them.

    The longest come first.
    """
    parts = {part for secret in secrets for part in (secret, *_parts(secret)) if len(part) >= SHORTEST}
    return sorted({word for part in parts for word in _written(part)}, key=len, reverse=True)


def _parts(secret: str) -> list[str]:
    pairs = re.split(r"[;,]\s*", secret)
    return [part for pair in pairs for part in (pair, pair.rpartition(" ")[2], pair.partition("=")[2])]


def _written(part: str) -> set[str]:
    plain = json.dumps(part)[1:-1]
    careful = {_escaped(plain, letters, digits) for letters in ESCAPED for digits in ("04x", "04X")}
    return {part, plain, plain.replace("/", "\\/"), *careful, html.escape(part), quote(part, safe="")}


def _escaped(text: str, letters: str, digits: str) -> str:
    return "".join(f"\\u{ord(letter):{digits}}" if letter in letters else letter for letter in text)


def _clean(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = text.replace(word, BLOT)
    # Where the text was cut, there may be the first part of one.
    for word in words:
        for length in range(min(len(word), len(text)), LEAST_PART - 1, -1):
            if text.endswith(word[:length]):
                return text[:-length] + BLOT
    return text
