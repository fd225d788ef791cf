"""What every request gets: an id that follows it into the worker, and headers that tie a browser's hands."""

from __future__ import annotations

import re

from flask import Flask, Response, current_app, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars
from uuid_utils.compat import uuid7

from webapi import traces
from webapi.extensions import db

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

TYING = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


def init_app(app: Flask) -> None:
    traced = app.config["OTEL_EXPORTER_OTLP_ENDPOINT"] is not None
    if traced:
        traces.check(app)
        app.before_request(_start_tracing)
    app.before_request(_begin)
    if traced:
        app.before_request(_begin_span)
        app.teardown_request(_end_span)
    app.after_request(_finish)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    traced = traces.request_id(request.headers.get("traceparent"))
    g.request_id = given if REQUEST_ID.fullmatch(given) else traced or str(uuid7())
    clear_contextvars()
    bind_contextvars(request=g.request_id)


def _start_tracing() -> None:
    traces.start(current_app._get_current_object(), *db.engines.values())  # type: ignore[attr-defined]


def _begin_span() -> None:
    g.span = traces.request(g.request_id, request.headers.get("traceparent"), request.method)
    g.span.__enter__()


def _end_span(error: BaseException | None) -> None:
    if (span := g.pop("span", None)) is not None:
        span.__exit__(None, None, None)


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    given = {name for name, _ in headers}  # one look at them all instead of one for each of ours
    headers.extend([each for each in TYING if each[0] not in given])
    traces.answered(request.url_rule.rule if request.url_rule else "none", response.status_code)
    if request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
    return response
