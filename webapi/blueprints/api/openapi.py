"""The OpenAPI document: one entry for each public kind, from its declaration."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from apiflask import APIFlask
from flask import current_app, request
from pydantic import BaseModel

from webapi.errors import Malformed
from webapi.queue import Kind
from webapi.queue.job import EndedJob

View = TypeVar("View", bound=Callable[..., Any])

TEMPLATE = "/api/v1/jobs/{kind}"
ALIASES = {"/api/v1/mailings": "email.bulk"}  # doors that take the payload of a kind too
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Asking again with the same key and the same request answers with the same job. Kept 7 days.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 255},
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence that says what is wrong and what to do."},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "request_id": {"type": ["string", "null"]},
        "first": {"type": "string", "description": "The mailing by which the same file went out before."},
    },
}

TOLD = {
    "over": {
        "{$request.query.callback_url}": {
            "post": {
                "summary": "The job is over, or its verdict changed",
                "description": "Signed as Standard Webhooks when the server has a secret. May repeat with the same "
                "webhook-id. Any 2xx ends it; others are answered as those of every http.call.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EndedJob"}}},
                },
                "responses": {"2XX": {"description": "Taken."}},
            }
        }
    }
}


def init_app(app: APIFlask) -> None:
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "wapi_live_… or wapi_test_…"}
    app.config["SECURITY_SCHEMES"] = {"key": scheme}
    app.config["DESCRIPTION"] = "An answer of 202 means that the job is on disk. Errors are problem details (RFC 9457)."
    app.config["AUTO_SERVERS"] = False
    app.config["AUTO_OPERATION_ID"] = True
    app.config["AUTO_404_RESPONSE"] = app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False

    @app.spec_processor
    def complete(spec: dict[str, Any] | str) -> dict[str, Any] | str:
        assert isinstance(spec, dict)
        return _complete(spec, [kind for kind in app.extensions["kinds"].values() if kind.public])


def takes_query(model: type[BaseModel]) -> Callable[[View], View]:
    """Document a view's query parameters. The view reads them by `reading.query(model)`."""

    def note(view: View) -> View:
        spec: dict[str, Any] = view.__dict__.setdefault("_spec", {})
        spec.setdefault("args", []).append((model, "query"))
        return view

    return note


def refuse_query() -> None:
    """For views that declare no query parameters: whoever sends one means something that does not happen."""
    view = current_app.view_functions[request.endpoint or ""]
    takes = any(location == "query" for _, location in getattr(view, "_spec", {}).get("args") or [])
    if request.args and not takes:
        raise Malformed(f"There is no parameter {next(iter(request.args))!r} here.")


def takes_body(model: type[BaseModel]) -> Callable[[View], View]:
    """Document a view's JSON body. The view reads it by `reading.body(model)`."""

    def note(view: View) -> View:
        spec: dict[str, Any] = view.__dict__.setdefault("_spec", {})
        spec.update(body=model, content_type="application/json", body_example=None, body_examples=None)
        return view

    return note


def _complete(spec: dict[str, Any], kinds: list[Kind]) -> dict[str, Any]:
    components = spec.setdefault("components", {})
    ended = EndedJob.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    components.setdefault("schemas", {}).update(ended.pop("$defs", {}), Problem=PROBLEM, EndedJob=ended)
    submit = spec["paths"].pop(TEMPLATE)["post"]
    for kind in kinds:
        spec["paths"][TEMPLATE.replace("{kind}", kind.name)] = {"post": _submit(submit, kind, components["schemas"])}
    for path, kind_name in ALIASES.items():
        taken = spec["paths"].get(TEMPLATE.replace("{kind}", kind_name), {}).get("post", {})
        spec["paths"][path]["post"] |= {name: taken[name] for name in ("parameters", "requestBody") if name in taken}
    for path in spec["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                if any(each.get("name") == "callback_url" for each in operation.get("parameters", [])):
                    operation["callbacks"] = TOLD
                operation["security"] = [{"key": []}]
                problem = {
                    "description": "What is wrong, as a problem.",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                operation.setdefault("responses", {})["default"] = problem
    return spec


def _submit(template: dict[str, Any], kind: Kind, schemas: dict[str, Any]) -> dict[str, Any]:
    operation = copy.deepcopy(template)
    name = kind.name.replace(".", "_")
    schema = kind.payload.model_json_schema(ref_template=f"#/components/schemas/{name}_{{model}}")
    for inner, described in schema.pop("$defs", {}).items():
        schemas[f"{name}_{inner}"] = described
    schemas[f"{name}_payload"] = {**schema, "additionalProperties": False}
    operation["operationId"] = f"submit_{name}"
    operation["summary"] = kind.summary
    operation["parameters"] = [each for each in operation.get("parameters", []) if each.get("in") != "path"] + [KEY]
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}_payload"}}}
    operation["requestBody"] = {"required": True, "content": content}
    return operation
