"""Answers that repeat what they were sent: a secret of the request is blotted out before anybody keeps the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webapi.queue import blots
from webapi.services.http import Answer


def blotted(answer: Answer, secrets: Sequence[str]) -> Answer:
    """The answer without the secrets, however they are quoted. What is encoded otherwise is not recognised.

    Where the text was cut, there may be the first part of one.
    """
    words = blots.spellings(secrets)
    return replace(
        answer,
        headers={name: blots.blotted(value, words) for name, value in answer.headers.items()},
        body=answer.body and blots.blotted(answer.body, words),
    )
