"""A form from a kind's payload, and a payload from what a form sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from werkzeug.datastructures import FileStorage, MultiDict

from webapi.blueprints.json_text import check_json
from webapi.errors import Fault, Invalid, Malformed
from webapi.models import User
from webapi.services import storage
from webapi.services.storage import UPLOAD

INPUTS = {"email": "email", "date": "date", "date-time": "datetime-local", "uri": "url", UPLOAD["format"]: "file"}


@dataclass
class Field:
    """One field as a page draws it. `widget` names the template's macro, `input_type` the HTML input."""

    name: str
    label: str
    widget: str
    input_type: str = "text"
    help: str = ""
    required: bool = False
    secret: bool = False
    value: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    choices: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    many: bool = False


def fields_of(
    model: type[BaseModel], given: Mapping[str, Any] | None = None, faults: tuple[Fault, ...] = ()
) -> list[Field]:
    """The fields of a payload model, with the values and the faults of an earlier try."""
    schema = model.model_json_schema()
    required, definitions = set(schema.get("required", [])), schema.get("$defs", {})
    fields = []
    for name, described in schema.get("properties", {}).items():
        drawn = _draw(name, model.model_fields[name].title, _resolved(described, definitions), name in required)
        if given is not None:
            drawn.value = str(given.get(name, ""))
        drawn.faults = [each.message for each in faults if each.pointer.split("/")[1:2] == [name]]
        fields.append(drawn)
    return fields


def filled(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, str]:
    """A payload as a form sends it, so that it can be edited. Secrets are left empty."""
    given = {}
    for drawn in fields_of(model):
        value = values.get(drawn.name)
        if drawn.widget == "lines" and isinstance(value, list):
            shown = "\n".join(map(str, value))
        elif drawn.widget == "pairs" and isinstance(value, dict):
            shown = _lines(value)
        else:
            shown = _default(value)
        given[drawn.name] = "" if drawn.secret else shown
    return given


def kept(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The files of a payload that is edited: a form cannot show them again, and left empty they stay as they are."""
    names = [drawn.name for drawn in fields_of(model) if drawn.widget == "file"]
    return {name: values[name] for name in names if values.get(name)}


def read(
    model: type[BaseModel], owner: User, form: MultiDict[str, str], files: MultiDict[str, FileStorage]
) -> dict[str, Any]:
    """What a form sent, as values for `model`; files are kept first. Fields left empty are left out.

    Raises Invalid for text that is not JSON where JSON is asked for.
    """
    values: dict[str, Any] = {}
    for drawn in fields_of(model):
        if drawn.widget == "file":
            kept = [
                storage.receive(owner.id, file.filename, file.mimetype or "", file.stream).id
                for file in files.getlist(drawn.name)
                if file.filename
            ]
            if kept:
                values[drawn.name] = kept if drawn.many else kept[0]
        elif drawn.widget == "checkbox":
            values[drawn.name] = drawn.name in form
        elif text := form.get(drawn.name, "").strip():
            values[drawn.name] = _value(drawn, text)
    return values


def _value(drawn: Field, text: str) -> Any:
    if drawn.widget == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if drawn.widget == "pairs":
        return _pairs(drawn.name, text)
    if drawn.widget == "json":
        try:
            check_json(text.encode("utf-8", "surrogatepass"))
        except Malformed as error:
            raise Invalid(faults=(Fault(f"/{drawn.name}", error.message.replace("The body", "This")),)) from None
        return json.loads(text)
    return text.replace("\r\n", "\n")


def _pairs(name: str, text: str) -> dict[str, str]:
    """Lines of `name = value`."""
    pairs: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        left, equals, right = (part.strip() for part in line.partition("="))
        if not equals or left in pairs:
            what = "stands here twice" if equals else "has no ="
            raise Invalid(faults=(Fault(f"/{name}", f"Write name = value, one a line: {left!r} {what}."),))
        pairs[left] = right
    return pairs


def _lines(pairs: Mapping[str, Any]) -> str:
    return "\n".join(f"{left} = {right}" for left, right in pairs.items())


def _resolved(described: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One plain description of a field: references followed, `null` alternatives dropped."""
    choices = [choice for choice in described.get("anyOf", []) if choice.get("type") != "null"]
    merged = {**described, **choices[0]} if len(choices) == 1 else described
    reference = merged.get("$ref", "").rpartition("/")[2]
    return {**definitions[reference], **merged} if reference in definitions else merged


def _draw(name: str, title: str | None, described: dict[str, Any], required: bool) -> Field:
    drawn = Field(
        name=name,
        label=title or name.replace("_", " ").capitalize(),
        widget="input",
        help=described.get("description", ""),
        required=required,
        secret=described.get("writeOnly", False),
        value=_default(described.get("default")),
    )
    kind, form = described.get("type"), described.get("format", "")
    if "enum" in described:
        none = [""] if not required and described.get("default") is None else []
        drawn.widget, drawn.choices = "select", none + [str(choice) for choice in described["enum"]]
    elif form == UPLOAD["format"]:
        drawn.widget = "file"
    elif kind == "boolean":
        drawn.widget = "checkbox"
    elif kind == "array" and described.get("items", {}).get("format") == UPLOAD["format"]:
        drawn.widget, drawn.many = "file", True
    elif kind == "array" and described.get("items", {}).get("type") == "string":
        drawn.widget, drawn.value = "lines", "\n".join(described.get("default") or [])
    elif kind in {"integer", "number"}:
        drawn.input_type, drawn.attributes = "number", _limits(described)
    elif kind == "string":
        drawn.widget = "text" if described.get("multiline") else "input"
        drawn.input_type = INPUTS.get(form, "text")
        lengths = {"minlength": described.get("minLength"), "maxlength": described.get("maxLength")}
        drawn.attributes = {key: value for key, value in lengths.items() if value}
    elif described.get("pairs"):
        drawn.widget, drawn.value = "pairs", ""
        drawn.attributes = {"placeholder": _lines(described.get("examples", [{}])[0])}
    else:
        drawn.widget = "json"
        if examples := described.get("examples"):
            drawn.attributes = {"placeholder": json.dumps(examples[0], ensure_ascii=False)}
    return drawn


def _limits(described: dict[str, Any]) -> dict[str, Any]:
    step = None if described["type"] == "integer" else "any"
    limits = {"min": described.get("minimum"), "max": described.get("maximum"), "step": step}
    return {key: value for key, value in limits.items() if value is not None}


def _default(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
