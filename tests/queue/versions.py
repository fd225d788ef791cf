"""One kind in two versions of a program: the newer renames a field of the payload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from pydantic import BaseModel

from webapi.queue import DECLARATION, Kind, job

NAME = "grown.word"


class Word(BaseModel):
    word: str


class Words(BaseModel):
    words: list[str]


def to_words(document: dict[str, Any]) -> dict[str, Any]:
    return {"words": [document["word"]]}


@job(NAME)
def say(word: Word) -> str:
    """Say a word."""
    return word.word


@job(NAME, version=2, upgrades={1: to_words})
def say_all(words: Words) -> str:
    """Say some words."""
    return " ".join(words.words)


OLD: Kind = getattr(say, DECLARATION)
NEW: Kind = getattr(say_all, DECLARATION)


@contextmanager
def program(kind: Kind | None) -> Iterator[None]:
    """For a while, this app is of the version that has this kind; with None, of one that lacks it."""
    kinds: dict[str, Kind] = current_app.extensions["kinds"]
    before = kinds.pop(NAME, None)
    if kind is not None:
        kinds[NAME] = kind
    try:
        yield
    finally:
        kinds.pop(NAME, None)
        if before is not None:
            kinds[NAME] = before
