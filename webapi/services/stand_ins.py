"""What stands for an address that was forgotten, in texts and in documents."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any


def stand_in(address: str) -> str:
    """What stands in its place: as long, so that no byte behind it moves, and made from nothing but chance."""
    chance = secrets.token_hex(len(address))
    return ("forgotten:" + chance if len(address) >= 18 else chance)[: len(address)]


def without(value: Any, address: str, instead: str) -> Any:
    """The same value with the stand-in for the address, in every string of it and in names."""
    if isinstance(value, str):
        return instead.join(_split(value, address))
    if isinstance(value, list):
        return [without(each, address, instead) for each in value]
    if isinstance(value, dict):
        return {without(name, address, instead): without(each, address, instead) for name, each in value.items()}
    return value


def _split(text: str, address: str) -> Iterator[str]:
    """The parts of a text between the occurrences of an address, in whatever case they are written."""
    lower, start = text.lower(), 0
    while len(lower) == len(text) and (found := lower.find(address, start)) >= 0:
        yield text[start:found]
        start = found + len(address)
    yield text[start:]
