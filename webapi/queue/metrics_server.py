"""A small HTTP server for the metrics of a process that has none: a worker's main process, or the relay alone."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask
from structlog import get_logger

from webapi.metrics import book, pages
from webapi.queue.children import FORK_LOCK
from webapi.watch_settings import metrics_dir

PATIENCE = 3.0  # seconds; a scrape gives up after 10

log = get_logger()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without its parent's question to the DNS for the name of the address."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    timeout = 10.0  # seconds for somebody who connects and asks nothing

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its parent's name
        """Being looked at is no news."""


def count(app: Flask) -> None:
    """Let this process, and what it forks, count; nothing happens unless METRICS_PORT is set."""
    if app.config["METRICS_PORT"]:
        root = metrics_dir(app.config["METRICS_DIR"])
        book.start(pages.folder_for(root, "worker", os.getpid()))


def serve(app: Flask) -> None:
    """Serve what is counted, in a thread; nothing happens unless METRICS_PORT is set.

    A port that is taken is told and no reason to stop: work goes before watching.
    """
    address, port = app.config["METRICS_ADDRESS"], app.config["METRICS_PORT"]
    if not port:
        return
    try:
        server = make_server(address, port, _application(app), _Server6 if ":" in address else _Server, _Silent)
    except OSError as error:
        log.warning("metrics are not served", port=port, error=type(error).__name__, says=error.strerror)
        return
    os.register_at_fork(after_in_child=server.socket.close)  # a child that outlives us would keep the port
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def _application(app: Flask) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    token: str | None = app.config["METRICS_TOKEN"]

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [])
            return []
        if token is not None and not pages.is_token(environ.get("HTTP_AUTHORIZATION", ""), token):
            start_response("401 Unauthorized", [("WWW-Authenticate", 'Bearer realm="metrics"')])
            return []
        start_response("200 OK", [("Content-Type", pages.CONTENT_TYPE)])
        return [_page(app)]

    return answer


def _page(app: Flask) -> bytes:
    """Without the ledger's figures while a pass of the relay lasts: what goes wrong then is to be seen all the same."""
    folder, known = book.folder(), b""
    if FORK_LOCK.acquire(timeout=PATIENCE):  # looking at the ledger must not be halfway when the pool forks
        try:
            known = app.extensions["gauges"].page()
        finally:
            FORK_LOCK.release()
    return (pages.page(folder) if folder else b"") + known
