"""Links that prove by themselves what they are for: signed, and begun with the configured address.

A request's Host header may be forged, so no link comes from it.
"""

from __future__ import annotations

from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

from webapi.errors import NotFound


def public(path: str) -> str:
    """The address of a page, for a mail."""
    base: str = current_app.config["PUBLIC_URL"]
    return base.rstrip("/") + path


def sign(purpose: str, value: Any) -> str:
    """A token for a path. It holds the value for everybody to read, and nobody can make another."""
    return str(_timed(purpose).dumps(value))


def read(purpose: str, token: str, max_age: int | None = None) -> Any:
    """What `sign` was given, at most `max_age` seconds ago. Raises NotFound for a wrong or old token."""
    try:
        return _timed(purpose).loads(token, max_age=max_age)
    except (BadData, UnicodeError):  # a path may hold half a character
        raise NotFound("This link is not valid any more.") from None


def sign_for_ever(purpose: str, value: Any) -> str:
    """A token that is short, always the same, and never too old."""
    return str(_plain(purpose).dumps(value))


def read_for_ever(purpose: str, token: str) -> Any:
    """What `sign_for_ever` was given. Raises NotFound for a wrong token."""
    try:
        return _plain(purpose).loads(token)
    except (BadData, UnicodeError):  # a path may hold half a character
        raise NotFound("This link is not valid.") from None


def _timed(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_keys(), salt=purpose)


def _plain(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(_keys(), salt=purpose)


def _keys() -> list[str]:
    config = current_app.config
    return [*config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"]]
