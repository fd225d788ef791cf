"""What stands for an address that was forgotten, in texts and in documents."""

from __future__ import annotations

import re
import secrets
from functools import cache
from typing import Any


def stand_in(address: str) -> str:
    """What stands in its place: as long, so that no byte behind it moves, and made from nothing but chance."""
    chance = secrets.token_hex(len(address))
    return ("forgotten:" + chance if len(address) >= 18 else chance)[: len(address)]


def without(value: Any, address: str, instead: str) -> Any:
    """The same value with the stand-in for the address, in every string of it and in names."""
    if isinstance(value, str):
        return _named(address).sub(instead, value)
    if isinstance(value, list):
        return [without(each, address, instead) for each in value]
    if isinstance(value, dict):
        return {without(name, address, instead): without(each, address, instead) for name, each in value.items()}
    return value


@cache
def _named(address: str) -> re.Pattern[str]:
    """The address in whatever case, and not as a part of another's: bob@example.com is in no notbob@example.com.au.

    What no letter or digit stands behind belongs to the text around it and to no mailbox: a quotation mark, a dash
    that begins a line, an underscore that makes it italic. In doubt it is forgotten.
    """
    return re.compile(rf"(?<![^\W_])(?<![^\W_][._+-]){re.escape(address)}(?!-*[^\W_]|\.[^\W_])", re.IGNORECASE)
