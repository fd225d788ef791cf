"""Examples for the OpenAPI document: requests that the server takes as they stand, and answers of their shape.

A kind's own example is the first of its payload model's `examples`. Ids are those of nobody's things; whoever tries an
example puts their own in their place.
"""

from __future__ import annotations

import copy
from typing import Any

Spec = dict[str, Any]

JOB, UPLOAD, TEMPLATE, REPORT, DATASET, SCHEDULE, SENDER, MAILING, EFFECT, KEY = (
    f"01930000-0000-7000-8000-0000000000{number:02x}" for number in range(10)
)
# What stands for a name in a path or a query, and for a field of an answer.
NAMED: dict[str, Any] = {
    "job_id": JOB, "template_id": TEMPLATE, "report_id": REPORT, "dataset_id": DATASET, "schedule_id": SCHEDULE,
    "sender_id": SENDER, "mailing_id": MAILING, "key_id": KEY, "number": 1, "address": "bob@example.com",
    "kind": "data.process", "name": "people.csv", "file_name": "people.csv", "size": 1024, "format": "csv",
    "media_type": "text/csv", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "timezone": "Europe/Vienna", "cron": "0 9 * * 1", "explained": "At 09:00 on Monday", "email": "ada@example.com",
    "links": {"self": f"/api/v1/jobs/{JOB}"}, "sql": "SELECT kind, count(*) AS jobs FROM jobs GROUP BY kind",
}  # fmt: skip
FORMATS = {"uuid": JOB, "date-time": "2026-11-21T09:00:00Z", "email": "bob@example.com", "uri": "https://example.com/"}
WORDING = {"subject": "Your invoice, {{name}}", "text": "Dear {{name}}, thank you.", "html": "", "layout": True}
DEFINITION = {"title": "Jobs by kind", "source": "data", "sql": NAMED["sql"]}
REQUESTS: dict[str, Any] = {
    "ScheduleIn": {
        "name": "Weekly figures", "cron": "0 9 * * 1", "timezone": "Europe/Vienna", "kind": "data.process",
        "payload": {"data": [1, 2, 3]},
    },
    "ScheduleChange": {"paused": True},
    "ReportIn": {"name": "by-kind", **DEFINITION},
    "ReportChange": {"title": "Jobs by kind and day"},
    "ReportDraft": DEFINITION,
    "TemplateIn": {"name": "receipt", **WORDING},
    "Wording": WORDING,
    "TemplateChange": {"subject": "Thank you, {{name}}"},
    "Values": {"values": {"name": "Bob"}},
    "Draft": {**WORDING, "values": {"name": "Bob"}},
    "SenderIn": {"address": "orders@example.com", "name": "The shop"},
    "SuppressionIn": {"address": "carol@example.com", "detail": "asked by telephone"},
    "DatasetChange": {"name": "customers"},
    "KeyIn": {"name": "nightly import", "type": "live"},
    "Resolution": {"effects": {EFFECT: "delivered"}},
    "Release": {"effects": [EFFECT]},
    "Confirmation": {"leave_out_bad": True},
}  # fmt: skip
CSV = "email,name\nbob@example.com,Bob\ncarol@example.com,Carol\n"
BOUNCE = """\
From: MAILER-DAEMON@mx.example.com
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=part

--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; bob@example.com
Action: failed
Status: 5.1.1

--part--
"""
RAW = {"application/octet-stream": CSV, "message/rfc822": BOUNCE}


def add(operation: Spec, schemas: Spec) -> None:
    """Put an example beside each body, and each answer, that has none."""
    content = operation.get("requestBody", {}).get("content", {})
    for sort, media in content.items():
        media["example"] = RAW[sort] if sort in RAW else _request(media["schema"], schemas)
    for answer in operation.get("responses", {}).values():
        for media in answer.get("content", {}).values():
            if media.get("schema"):
                media["example"] = sample(media["schema"], schemas)


def _request(schema: Spec, schemas: Spec) -> Any:
    """The table's example, the model's own, or the fields that are needed."""
    if schema.get("type") == "array":
        return [_request(schema["items"], schemas)]
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in REQUESTS:
        return copy.deepcopy(REQUESTS[name])
    schema = schemas.get(name, schema)
    if "examples" in schema:
        return copy.deepcopy(schema["examples"][0])
    properties = schema.get("properties", {})
    needed = schema.get("required") or list(properties)[:1]
    return {each: _value(each, properties[each], schemas, 0) for each in needed}


def sample(schema: Spec, schemas: Spec, depth: int = 0) -> Any:
    """A value of this schema, with all that an answer has."""
    name = schema.get("$ref", "").rpartition("/")[2]
    schema = schemas.get(name, schema)
    for known in ("const", "default"):
        if schema.get(known) is not None:
            return schema[known]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return sample(next((each for each in choices if each.get("type") != "null"), choices[0]), schemas, depth + 1)
    if "properties" in schema:
        return {each: _value(each, inner, schemas, depth) for each, inner in schema["properties"].items()}
    return _plain(schema, schemas, depth)


def _value(name: str, schema: Spec, schemas: Spec, depth: int) -> Any:
    """A field: by its name where that says more than its type."""
    told = NAMED.get(name)
    if told is not None and _fits(told, schema):
        return copy.deepcopy(told)
    return sample(schema, schemas, depth + 1)


def _fits(value: Any, schema: Spec) -> bool:
    types = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", []))}
    if schema.keys() & {"format", "pattern", "properties", "enum", "const"}:
        return False
    return {str: "string", int: "integer", dict: "object"}[type(value)] in types


def _plain(schema: Spec, schemas: Spec, depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [sample(schema.get("items", {}), schemas, depth + 1)] if depth < 8 else []
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), "text")
    return {"integer": int(schema.get("minimum", 1)), "number": 1.5, "boolean": True, "object": {}}.get(str(kind))
