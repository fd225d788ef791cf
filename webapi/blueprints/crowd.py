"""How many requests one process works on at once, when its server has more threads than that for its watchers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from webapi import metrics
from webapi.threads import LINE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE = 0.5  # seconds that one waits, at most: a quick request that is let in is answered within about one
AGAIN = "1"  # seconds after which whoever was turned away may ask again
STATUS = "503 Service Unavailable"
SENTENCE = "Too many requests are under way here. Nothing was done for this one; send it again in a second."
PROBLEM = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": SENTENCE, "code": "busy"}
BODY = json.dumps(PROBLEM).encode()
WATCHES = {"/healthz", "/readyz", "/metrics"}  # a process that is busy is not dead


class Crowd:
    """A WSGI application of which at most `most` calls run at once. What streams its answer has left by then.

    The next `LINE` × `most` wait for up to `patience` seconds. Whoever comes beyond them is turned away at once, before
    anything is read or looked up: work that would be late for everybody costs less than work that is.
    """

    def __init__(self, app: WSGIApplication, most: int, patience: float = PATIENCE) -> None:
        self._app, self._patience = app, patience
        self._places = threading.BoundedSemaphore(most)
        self._line = threading.BoundedSemaphore((1 + LINE) * most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in WATCHES:
            return self._app(environ, start_response)
        if not self._line.acquire(blocking=False):
            return _turned_away(environ, start_response)
        try:
            if not self._places.acquire(timeout=self._patience):
                return _turned_away(environ, start_response)
            try:
                return self._app(environ, start_response)
            finally:
                self._places.release()
        finally:
            self._line.release()


def _turned_away(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Problem details (RFC 9457), and nothing that costs more than saying so."""
    metrics.HTTP_REQUESTS.add("none", str(environ.get("REQUEST_METHOD")), "503")
    length = str(len(BODY))
    start_response(
        STATUS, [("Content-Type", "application/problem+json"), ("Content-Length", length), ("Retry-After", AGAIN)]
    )
    return [BODY]
