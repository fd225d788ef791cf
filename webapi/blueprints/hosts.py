"""By which names this server may be called. Our links come from PUBLIC_URL and never from a request's Host, which
whoever asks may forge; a forged one is refused all the same, so that nothing between us and a reader keeps it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, current_app, request

from webapi.brokers import LOOPBACK
from webapi.errors import Malformed

# Those who watch a process ask it by its address.
WATCHED = {"/healthz", "/readyz", "/metrics"}


def init_app(app: Flask) -> None:
    app.before_request(_refuse_forged)


def _refuse_forged() -> None:
    if request.path in WATCHED:
        return
    try:
        asked = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    except ValueError:
        asked = None
    known = {urlsplit(current_app.config["PUBLIC_URL"]).hostname, *LOOPBACK, *current_app.config["SERVER_NAMES"]}
    if asked not in known:
        raise Malformed("This server is not called that. Its names are those of PUBLIC_URL and SERVER_NAMES.")
