"""What a program accepts, sends and has already (RFC 9110): 406, 415 for a body that is packed, 304."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from webapi.errors import NotAcceptable, UnsupportedMediaType

JSON = ("application/json", "application/problem+json")
ANY = "*/*"
PLAIN = {ANY, "application/json"}  # what nearly all programs say


def init_app(app: Flask, prefix: str) -> None:
    """For every door below `prefix`."""

    @app.before_request
    def check() -> None:
        if request.path.startswith(f"{prefix}/"):
            _check_encoding()
            _check_accept()

    @app.after_request
    def condition(response: Response) -> Response:
        return _condition(response) if request.path.startswith(f"{prefix}/") else response


def _check_encoding() -> None:
    """A packed file would be kept as if its bytes were meant."""
    given = request.headers.get("Content-Encoding")
    if given and given.strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Send the body as it is, without Content-Encoding.", headers={"Accept-Encoding": ""})


def _check_accept() -> None:
    """Doors that answer with a file say by themselves what it is, and are not asked."""
    if request.headers.get("Accept", ANY) in PLAIN:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    answers_json = "response" in getattr(view, "_spec", {})
    if answers_json and request.accept_mimetypes and not request.accept_mimetypes.best_match(JSON):
        raise NotAcceptable


def _condition(response: Response) -> Response:
    if request.method in {"GET", "HEAD"} and response.status_code == 200 and response.is_json:
        response.make_conditional(request)
    return response
