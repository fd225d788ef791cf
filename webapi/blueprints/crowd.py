"""How many requests one process works on at once, when its server has more threads than that for its watchers."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Crowd:
    """A WSGI application of which at most `most` calls run at once. What streams its answer has left by then."""

    def __init__(self, app: WSGIApplication, most: int) -> None:
        self._app = app
        self._places = threading.BoundedSemaphore(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._places:
            return self._app(environ, start_response)
