"""What the OpenAPI document says beyond what the views declare: the kinds, batches, headers, problems, examples."""

from __future__ import annotations

import copy
from typing import Any

from webapi.blueprints.api import examples
from webapi.queue import Kind
from webapi.queue.batch import MOST
from webapi.queue.endings import EndedJob

Spec = dict[str, Any]

PREFIX = "/api/v1"
SUBMIT, BATCH = f"{PREFIX}/jobs/{{kind}}", f"{PREFIX}/jobs/{{kind}}/batch"
ALIASES = {f"{PREFIX}/mailings": "email.bulk"}  # doors that take the payload of a kind too


def _header(name: str, description: str, **schema: Any) -> Spec:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


KEY = _header(
    "Idempotency-Key",
    "Asking again with the same key and the same request answers with the same job. Kept 7 days.",
    minLength=8,
    maxLength=255,
    pattern=r"^[\x21-\x7e]{8,255}$",
)
PREFER = _header("Prefer", "wait=N: answer with 200 when the job is over within N seconds, 30 at most (RFC 7240).")
IF_MATCH = _header("If-Match", "The ETag of what you have read. When somebody else changed it since: 412.")
IF_NONE_MATCH = _header("If-None-Match", "The ETag of what you have. When nothing has changed: 304.")
HEADERS = {
    "get_api_jobs_show": [IF_NONE_MATCH],
    "post_api_mailings_create": [KEY],
    "patch_api_schedules_change": [IF_MATCH],
    "patch_api_reports_change": [IF_MATCH],
    "patch_api_templates_change": [IF_MATCH],
    "put_api_templates_replace": [IF_MATCH],
}
ASKED = {"post_api_bulk_cancel": ["queued"], "post_api_bulk_replay": ["failed"]}  # states, since they need a filter
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
WRONG = {
    "description": "What is wrong, as a problem.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
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


def complete(spec: Spec, kinds: list[Kind]) -> Spec:
    """The document that is served. Raises KeyError when a view is gone that it builds on."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    ended = EndedJob.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(ended.pop("$defs", {}), Problem=PROBLEM, EndedJob=ended)
    paths = spec["paths"]
    single, batch = paths.pop(SUBMIT)["post"], paths.pop(BATCH)["post"]
    for kind in kinds:
        _describe(kind, schemas)
        paths[SUBMIT.replace("{kind}", kind.name)] = {"post": _single(single, kind)}
        paths[BATCH.replace("{kind}", kind.name)] = {"post": _batch(batch, kind)}
    for path, name in ALIASES.items():
        if taken := paths.get(SUBMIT.replace("{kind}", name)):
            paths[path]["post"]["requestBody"] = taken["post"]["requestBody"]
    for entry in paths.values():
        for parameter in entry.get("parameters", []):
            _describe_parameter(parameter)
        for verb, operation in entry.items():
            if verb != "parameters":
                _complete(operation)
                _close(operation, schemas)
                examples.add(operation, schemas)
    return spec


def _complete(operation: Spec) -> None:
    parameters = operation.setdefault("parameters", [])
    parameters += copy.deepcopy(HEADERS.get(operation.get("operationId", ""), []))
    for parameter in parameters:
        _describe_parameter(parameter)
        if parameter["name"] == "state" and operation.get("operationId") in ASKED:
            parameter["example"] = ASKED[operation["operationId"]]
    if any(each.get("name") == "callback_url" for each in parameters):
        operation["callbacks"] = TOLD
    if said := operation.pop("x-body", None):
        content: Spec = {operation.pop("x-media-type", "application/octet-stream"): {"schema": {}}}
        operation["requestBody"] = {"description": said, "content": content}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = operation.pop("x-required", True)
    if sort := operation.pop("x-answer", None):
        operation["responses"]["200"]["content"] = {sort: {}}
    operation.setdefault("security", [{"key": []}])
    operation.setdefault("responses", {})["default"] = WRONG


def _close(operation: Spec, schemas: Spec) -> None:
    """Say that bodies have no other fields, and that what has no body has none."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        if "properties" in schemas.get(name, {}):
            schemas[name].setdefault("additionalProperties", False)
    for status in {"204", "304"} & operation["responses"].keys():
        operation["responses"][status].pop("content", None)


def _describe_parameter(parameter: Spec) -> None:
    if parameter["in"] == "path" and parameter["name"].endswith("_id"):
        parameter["schema"] = {"type": "string", "format": "uuid"}
    needed = parameter["in"] == "path" or (parameter["in"] == "query" and parameter.get("required"))
    if needed and parameter["name"] in examples.NAMED:
        parameter["example"] = examples.NAMED[parameter["name"]]


def _describe(kind: Kind, schemas: Spec) -> None:
    name = _name(kind)
    schema = kind.payload.model_json_schema(ref_template=f"#/components/schemas/{name}_{{model}}")
    for inner, described in schema.pop("$defs", {}).items():
        schemas[f"{name}_{inner}"] = described
    schemas[f"{name}_payload"] = {**schema, "additionalProperties": False}


def _single(template: Spec, kind: Kind) -> Spec:
    operation = _of_kind(template, f"submit_{_name(kind)}", kind.summary)
    operation["parameters"].append(PREFER)
    operation["responses"]["200"]["content"] = copy.deepcopy(operation["responses"]["202"]["content"])
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _payload(kind)}}}
    return operation


def _batch(template: Spec, kind: Kind) -> Spec:
    operation = _of_kind(template, f"submit_{_name(kind)}_batch", f"{kind.summary[:-1]}: many at once")
    items = {"type": "array", "minItems": 1, "maxItems": MOST, "items": _payload(kind)}
    lines = {**items, "description": "One payload a line."}
    content = {"application/json": {"schema": items}, "application/x-ndjson": {"schema": lines}}
    operation["requestBody"] = {"required": True, "content": content}
    return operation


def _of_kind(template: Spec, name: str, summary: str) -> Spec:
    operation = copy.deepcopy(template)
    parameters = [each for each in operation.get("parameters", []) if each.get("in") != "path"]
    return operation | {"operationId": name, "summary": summary, "parameters": [*parameters, copy.deepcopy(KEY)]}


def _payload(kind: Kind) -> Spec:
    return {"$ref": f"#/components/schemas/{_name(kind)}_payload"}


def _name(kind: Kind) -> str:
    return kind.name.replace(".", "_")
