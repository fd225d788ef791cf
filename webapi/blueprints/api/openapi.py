"""The OpenAPI document: what the views declare, completed from the kinds' declarations by `document`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from apiflask import APIFlask
from flask import current_app, request
from pydantic import BaseModel

from webapi.blueprints.api import document
from webapi.errors import Malformed

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: APIFlask) -> None:
    app.config["SECURITY_SCHEMES"] = {
        "key": {"type": "http", "scheme": "bearer", "bearerFormat": "wapi_live_… or wapi_test_…"},
        "session": {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]},
    }
    app.config["DESCRIPTION"] = "An answer of 202 means that the job is on disk. Errors are problem details (RFC 9457)."
    app.config["AUTO_SERVERS"] = app.config["AUTO_AUTH_ERROR_RESPONSE"] = False
    app.config["AUTO_OPERATION_ID"] = True
    app.config["AUTO_404_RESPONSE"] = app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False

    @app.spec_processor
    def complete(spec: dict[str, Any] | str) -> dict[str, Any] | str:
        assert isinstance(spec, dict)
        return document.complete(spec, [kind for kind in app.extensions["kinds"].values() if kind.public])


def takes_query(model: type[BaseModel]) -> Callable[[View], View]:
    """Document a view's query parameters. The view reads them by `reading.query(model)`."""

    def note(view: View) -> View:
        spec: dict[str, Any] = view.__dict__.setdefault("_spec", {})
        spec.setdefault("args", []).append((model, "query"))
        return view

    return note


def refuse_query() -> None:
    """Before anything else is looked at: a parameter that the view does not know was meant to do something."""
    if not request.args:
        return
    view = current_app.view_functions[request.endpoint or ""]
    models = [model for model, location in getattr(view, "_spec", {}).get("args") or [] if location == "query"]
    known = [name for model in models for name in model.model_fields]
    for name in request.args:
        if name not in known:
            some = f" Known are: {', '.join(known)}." if known else ""
            raise Malformed(f"There is no parameter {name!r} here.{some}")


def takes_body(model: type[BaseModel]) -> Callable[[View], View]:
    """Document a view's JSON body. The view reads it by `reading.body(model)`."""

    def note(view: View) -> View:
        spec: dict[str, Any] = view.__dict__.setdefault("_spec", {})
        spec.update(body=model, content_type="application/json", body_example=None, body_examples=None)
        return view

    return note
