"""The one place where an error becomes HTTP: problem details for programs, a page for people."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from flask import Response, g, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from structlog import get_logger
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES

from webapi.errors import DatabaseAway, Fault, WebapiError

JSON_PATHS = ("/api/", "/process", "/status/", "/healthz", "/readyz", "/metrics")

log = get_logger()


def init_app(app: APIFlask) -> None:
    """Register the handlers. Whatever a view raises comes out as one shape."""
    app.register_error_handler(WebapiError, _ours)
    app.register_error_handler(HTTPException, _of_werkzeug)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(RateLimitExceeded, _too_often)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(InterfaceError, _database)
    app.register_error_handler(NoConnection, _no_connection)


def _ours(error: WebapiError) -> Response:
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="webapi"')
    if error.status >= 500:
        log.error("request failed", code=error.code)
    return answer(error.status, error.code, error.message, error.faults, headers, **error.details)


def _of_werkzeug(error: HTTPException) -> Response:
    """Headers that belong to the status, such as `Allow`, are kept."""
    status = error.code or 500
    original = error.get_response()
    if status < 400:
        return make_response(original)
    code = HTTP_STATUS_CODES.get(status, "error").lower().replace(" ", "_").replace("-", "_")
    kept = {name: value for name, value in original.headers.items() if name not in {"Content-Type", "Content-Length"}}
    if isinstance(error, InternalServerError):
        log.error("request failed", exc_info=error.original_exception or error)
        return answer(500, "internal_error", "Something went wrong on our side. It is in the log.", (), kept)
    sentence = "There is nothing at this address." if status == 404 else error.description or ""
    return answer(status, code, sentence, (), kept)


def _csrf(error: CSRFError) -> Response:
    sentence = "This form is from another session. Go back, reload the page and send it again."
    return answer(403, "csrf", sentence, (), {})


def _too_often(error: RateLimitExceeded) -> Response:
    wait = str(error.limit.limit.get_expiry()) if error.limit else "60"
    return answer(429, "rate_limited", "Too many tries. Wait a little and try again.", (), {"Retry-After": wait})


def _database(error: DBAPIError) -> Response:
    # An operational error speaks of servers, files and tables, never of values.
    log.error("database away", error=type(error.orig).__name__, says=str(error.orig).partition("\n")[0][:200])
    return _ours(DatabaseAway())


def _no_connection(error: NoConnection) -> Response:
    """All of this process's connections are in use, and were for seconds."""
    log.error("no connection to the database was free")
    return _ours(DatabaseAway())


def answer(
    status: int, code: str, sentence: str, faults: tuple[Fault, ...], headers: dict[str, str], **members: Any
) -> Response:
    """Problem details (RFC 9457) for programs, with further `members`, and the same facts as a page for people."""
    if _wants_json():
        body: dict[str, Any] = members | {
            "type": "about:blank",
            "title": HTTP_STATUS_CODES.get(status, "Error"),
            "status": status,
            "detail": sentence,
            "code": code,
            "errors": [{"pointer": fault.pointer, "message": fault.message} for fault in faults],
            "request_id": g.get("request_id"),
        }
        response = make_response(body)
        response.mimetype = "application/problem+json"
    else:
        title = HTTP_STATUS_CODES.get(status, "Error")
        page = render_template("errors/error.html", status=status, title=title, sentence=sentence, faults=faults)
        response = make_response(page)
    response.status_code = status
    response.headers.update(headers)
    return response


def _wants_json() -> bool:
    if request.path.startswith(JSON_PATHS):
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
