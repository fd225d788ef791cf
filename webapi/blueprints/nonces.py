"""A form that is sent twice, by a double click or a reload, is meant once: each drawing has a number of its own."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Flask, request
from pydantic import BaseModel

from webapi.queue import Once, fingerprint, seals

NONCE = re.compile(r"[0-9a-f]{32}")


def init_app(app: Flask) -> None:
    """The macro `nonce` of forms/fields.html draws a number."""
    app.jinja_env.globals["new_nonce"] = lambda: secrets.token_hex(16)


def given() -> str | None:
    """The number of the drawing that was sent; None without one."""
    nonce = request.form.get("nonce", "")
    return nonce if NONCE.fullmatch(nonce) else None


def once(*asked: Any) -> Once | None:
    """The idempotency key of the form that was sent, with what it asks for; secrets of payloads go into digests."""
    nonce = given()
    if nonce is None:
        return None
    now, *earlier = seals.under_each_key(lambda key: fingerprint(*(_plain(each, key) for each in asked)))
    return Once("form", nonce, now, tuple(earlier))


def _plain(asked: Any, key: bytes) -> Any:
    return seals.marked(asked, key) if isinstance(asked, BaseModel) else asked
