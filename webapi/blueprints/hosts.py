"""By which names this server may be called. Our links come from PUBLIC_URL and never from a request's Host, which
whoever asks may forge; a forged one is refused all the same, so that nothing between us and a reader keeps it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, request

from webapi.brokers import LOOPBACK
from webapi.errors import Malformed

# Those who watch a process ask it by its address.
WATCHED = {"/healthz", "/readyz", "/metrics"}


def init_app(app: Flask) -> None:
    """Reads PUBLIC_URL and SERVER_NAMES."""
    known = {urlsplit(app.config["PUBLIC_URL"]).hostname, *LOOPBACK, *app.config["SERVER_NAMES"]}
    app.before_request(lambda: _refuse_forged(known))


def _refuse_forged(known: Collection[str | None]) -> None:
    if _called(request.headers.get("Host", "")) not in known and request.path not in WATCHED:
        raise Malformed("This server is not called that. Its names are those of PUBLIC_URL and SERVER_NAMES.")


@lru_cache(maxsize=64)
def _called(host: str) -> str | None:
    """The name in a Host header; None for one that cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
