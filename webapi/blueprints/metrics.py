"""For Prometheus: what the processes of this server counted, and what the ledger knows. Shut without METRICS_TOKEN."""

from __future__ import annotations

import os
import time

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from structlog import get_logger

from webapi import metrics
from webapi.errors import NotFound, NotSignedIn
from webapi.metrics import book, pages
from webapi.watch_settings import metrics_dir

bp = APIBlueprint("metrics", __name__, enable_openapi=False)
QUIET = {"static", "health.alive", "health.ready", "metrics.show"}  # who watches is not worth a line

log = get_logger()


@bp.get("/metrics")
def show() -> ResponseReturnValue:
    token: str | None = current_app.config["METRICS_TOKEN"]
    if token is None:
        raise NotFound
    if not pages.is_token(request.headers.get("Authorization", ""), token):
        raise NotSignedIn("The metrics need their token.", headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    folder = book.folder()
    counted = pages.page(folder) if folder else b""
    return Response(counted + current_app.extensions["gauges"].page(), content_type=pages.CONTENT_TYPE)


def init_app(app: Flask) -> None:
    """Before everything else, so that what refuses a request is counted and timed too. Costs nothing when it is off."""
    app.register_blueprint(bp)
    if app.config["METRICS_TOKEN"]:
        app.before_request(_start)
    if app.config["METRICS_TOKEN"] or app.config["LOG_REQUESTS"]:
        app.before_request(_begin)
        app.after_request(_note)


def _start() -> None:
    """A server's process counts once it serves; a command that only makes the app does not.

    Processes with one parent are one server's, unless it is the parent of all.
    """
    if current_app.extensions.get("counts_in") != os.getpid():
        current_app.extensions["counts_in"] = os.getpid()
        parent = os.getppid()
        root = metrics_dir(current_app.config["METRICS_DIR"])
        book.start(pages.folder_for(root, "web", parent if parent > 1 else os.getpid()))


def _begin() -> None:
    g.asked = time.perf_counter()


def _note(response: Response) -> Response:
    seconds = time.perf_counter() - g.pop("asked", time.perf_counter())
    # What was asked may hold an address; the rule that it met does not. Verbs that nobody knows are one.
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
    metrics.HTTP_REQUESTS.add(route, method, str(response.status_code))
    metrics.HTTP_SECONDS.observe(seconds, route)
    if current_app.config["LOG_REQUESTS"] and request.endpoint not in QUIET:
        log.info("request", method=method, route=route, status=response.status_code, seconds=round(seconds, 4))
    return response
