"""CORS: pages of other origins may call the API where CORS_ORIGINS names them, with a key and never with cookies.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from flask import Flask, Response, current_app, make_response, request

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Range, X-Request-ID"
SEEN = (
    "Allow, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Location, Preference-Applied, RateLimit, "
    "RateLimit-Policy, Retry-After, X-Request-ID"
)
KEPT = "600"  # seconds for which a browser may remember the answer to its question


def init_app(app: Flask, prefix: str) -> None:
    """Reads CORS_ORIGINS. Without any, nothing at all is said about other origins."""
    if app.config["CORS_ORIGINS"]:
        app.before_request(lambda: _asked() if request.path.startswith(f"{prefix}/") else None)
        app.after_request(lambda response: _told(response) if request.path.startswith(f"{prefix}/") else response)


def _asked() -> Response | None:
    """The answer to a browser's preflight, which comes without a key."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not _allowed():
        return None
    response = make_response("", 204)
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = SENT
    response.headers["Access-Control-Max-Age"] = KEPT
    return response


def _told(response: Response) -> Response:
    response.vary.add("Origin")
    if _allowed():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = SEEN
    return response


def _allowed() -> bool:
    return request.headers.get("Origin") in current_app.config["CORS_ORIGINS"]
