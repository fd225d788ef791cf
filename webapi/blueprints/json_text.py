"""JSON as programs agree about it: what libraries read in different ways is refused (RFC 8259 section 4, RFC 7493)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from webapi.errors import Malformed

DEEPEST = 32
TOO_DEEP = f"The body is nested more than {DEEPEST} levels deep."
WIDEST = 2**63  # an integer beyond 64 bits has no place in a database
BAD_TEXT = re.compile(r"[\x00\ud800-\udfff]")


def check_json(raw: bytes) -> Any:
    """What a JSON text says. Raises Malformed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise Malformed("The body begins with a byte order mark; leave it out.")
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Malformed(TOO_DEEP) from None
    if "\\u" in text:  # by nothing else can a string come to hold what is looked for
        _check_tree(document, 1)
    elif text.count("[") + text.count("{") >= DEEPEST:
        _check_depth(document)
    return document


def _check_depth(document: Any) -> None:
    """Level by level, which is many times quicker than value by value."""
    level = [document]
    for _ in range(DEEPEST):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise Malformed(TOO_DEEP)


def _check_tree(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise Malformed(TOO_DEEP)
    if isinstance(value, str) and BAD_TEXT.search(value):
        raise Malformed("A string holds a NUL or half of a surrogate pair.")
    if isinstance(value, dict):
        for name in value:
            _check_tree(name, depth)
    children: Sequence[Any] = (
        list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for child in children:
        _check_tree(child, depth + 1)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("An object has the same name twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON.")


def _int(digits: str) -> int:
    if len(digits) > 20 or not -WIDEST <= int(digits) < WIDEST:
        raise Malformed("An integer does not fit into 64 bits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Malformed(f"{digits[:20]} is too large a number.")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_int=_int, parse_float=_float
)
