"""Pages: the OpenAPI document for people. Drawn here, so that they need no script and nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from apiflask import APIBlueprint, APIFlask
from flask import current_app, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from webapi.errors import NotFound

bp = APIBlueprint("docs", __name__, url_prefix="/docs", enable_openapi=False)

Spec = dict[str, Any]
TICKED = re.compile("`([^`]+)`")
DEEPEST = 6  # levels of fields; what is deeper is in the document itself
LIMITS = {
    "minimum": "≥ {}", "maximum": "≤ {}", "minLength": "≥ {} characters", "maxLength": "≤ {} characters",
    "minItems": "≥ {} of them", "maxItems": "≤ {} of them", "maxProperties": "≤ {} of them", "pattern": "{}",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of a body or an answer, or one parameter."""

    name: str
    type: str
    required: bool
    text: str
    depth: int = 0


@dataclass(frozen=True)
class Operation:
    """One verb of one path."""

    id: str
    verb: str
    path: str
    group: str
    described: Spec
    parameters: list[Spec]

    @property
    def summary(self) -> str:
        return str(self.described.get("summary", ""))

    @property
    def body(self) -> list[tuple[str, Spec]]:
        """Each sort of body with its schema and its example."""
        return list(self.described.get("requestBody", {}).get("content", {}).items())

    @property
    def by_person(self) -> bool:
        return {"session": []} in self.described.get("security", [])


@bp.app_template_filter()
def ticked(text: str) -> Markup:
    """A sentence of the document, with what stands between backticks as code."""
    return Markup(TICKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 # nosec B704


@bp.get("")
def index() -> ResponseReturnValue:
    groups: dict[str, list[Operation]] = {}
    for each in _operations().values():
        groups.setdefault(each.group, []).append(each)
    return render_template("docs/index.html", groups=sorted(groups.items()), info=_document()["info"])


@bp.get("/<operation_id>")
def show(operation_id: str) -> ResponseReturnValue:
    operation = _operations().get(operation_id)
    if operation is None:
        raise NotFound("The API has no such operation.")
    bodies = [
        (sort, list(fields(media["schema"])), shown(media.get("example"), sort)) for sort, media in operation.body
    ]
    answers = [
        (
            status,
            answer.get("description", ""),
            sort,
            list(fields(media.get("schema", {}))),
            shown(media.get("example")),
        )
        for status, answer in operation.described["responses"].items()
        for sort, media in (answer.get("content") or {"": {}}).items()
    ]
    parameters = [_parameter(each) for each in operation.parameters]
    return render_template(
        "docs/operation.html", operation=operation, parameters=parameters, bodies=bodies, answers=answers,
        curl=curl(operation),
    )  # fmt: skip


def _document() -> Spec:
    """The document as it is served; it is made once."""
    return cast(Spec, cast(APIFlask, current_app)._get_spec("json"))


def _operations() -> dict[str, Operation]:
    found = {}
    for path, entry in _document()["paths"].items():
        for verb, described in entry.items():
            if verb != "parameters":
                parameters = [*entry.get("parameters", []), *described.get("parameters", [])]
                group, name = (described.get("tags") or ["API"])[0], described["operationId"]
                found[name] = Operation(name, verb.upper(), path, group, described, parameters)
    return found


def _parameter(each: Spec) -> Field:
    schema = each.get("schema", {})
    where = "" if each["in"] == "query" else f" ({each['in']})"
    text = " ".join(filter(None, [each.get("description") or schema.get("description"), _limits(schema)]))
    return Field(each["name"] + where, _type(schema), bool(each.get("required")), text)


def fields(schema: Spec, depth: int = 0) -> Iterator[Field]:
    """The fields of an object, and of the objects in it, in the order in which a person reads them."""
    schema = _resolved(schema)
    if depth > DEEPEST:
        return
    for inner in (schema.get("items"), *schema.get("anyOf", [])):
        if inner:
            yield from fields(inner, depth)
    for name, each in schema.get("properties", {}).items():
        required = name in schema.get("required", [])
        resolved = _resolved(each)
        text = " ".join(filter(None, [each.get("description") or resolved.get("description"), _limits(each)]))
        yield Field(name, _type(each), required, text, depth)
        yield from fields(each, depth + 1)


def _resolved(schema: Spec) -> Spec:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return cast(Spec, _document()["components"]["schemas"][name]) if name else schema


def _type(schema: Spec) -> str:
    schema = _resolved(schema)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or (" | ".join(kind) if isinstance(kind, list) else kind))


def _limits(schema: Spec) -> str:
    given = [text.format(f"{schema[name]:,}" if isinstance(schema[name], int) else schema[name])
             for name, text in LIMITS.items() if name in schema]  # fmt: skip
    default = schema.get("default")
    return ", ".join([*given, *([] if default in (None, "", [], {}) else [f"without it {json.dumps(default)}"])])


def shown(example: Any, sort: str = "") -> str:
    """An example as text: a document with its lines indented, anything else as it is."""
    if sort.endswith("ndjson"):
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in example)
    if example is None or isinstance(example, str):
        return example or ""
    return json.dumps(example, indent=2, ensure_ascii=False)


def curl(operation: Operation) -> str:
    """A command that does the operation with its examples, but for the key."""
    path = operation.path
    for each in operation.parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(each.get("example", each["name"])))
    query = urlencode({each["name"]: each["example"] for each in operation.parameters if _asked(each)}, True)
    url = current_app.config["PUBLIC_URL"].rstrip("/") + path + (f"?{query}" if query else "")
    verb = "" if operation.verb == "GET" else f"-X {operation.verb} "
    lines = [f"curl {verb}{shlex.quote(url)}", '-H "Authorization: Bearer $WEBAPI_KEY"']
    for sort, media in operation.body[:1]:
        example = media.get("example")
        text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        lines += [f"-H {shlex.quote(f'Content-Type: {sort}')}", f"--data-binary {shlex.quote(text)}"]
    return " \\\n  ".join(lines)


def _asked(parameter: Spec) -> bool:
    return parameter["in"] == "query" and "example" in parameter
