"""The forms of reports: one that writes a definition, and one that asks for its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app, request
from werkzeug.datastructures import MultiDict

from webapi.blueprints import forms, reading
from webapi.blueprints.forms import Field
from webapi.errors import Fault
from webapi.services.queries.parameters import Parameter
from webapi.services.queries.periods import PERIODS
from webapi.services.reports.definition import DATA, Definition

ROW = ("name", "type", "label", "default", "choices", "optional")  # of the table of parameters
SPARE = 2  # rows that are empty, for the next parameters
VALUE = "value-"  # before the names of a report's parameters
LEFT_OUT = {"report", "parameters"}  # of the payload: the page says them in its own way
COMMON = {"format", "timezone", "send_to"}  # what most people choose


def definition(form: MultiDict[str, str]) -> Definition:
    """What somebody wrote. Raises Invalid with a Fault for each thing that is wrong."""
    return reading.values(Definition, _plain(form))


def _plain(form: MultiDict[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: form.get(name, "").replace("\r\n", "\n") for name in ("title", "source", "sql")}
    given |= {
        "locale": form.get("locale") or "en",
        "parameters": [_parameter(row) for row in rows(form) if row["name"]],
    }
    if form.get("chart-kind"):
        y = [name.strip() for name in form.get("chart-y", "").split(",") if name.strip()]
        given["chart"] = {"kind": form["chart-kind"], "x": form.get("chart-x", "").strip(), "y": y}
    return given


def rows(form: MultiDict[str, str]) -> list[dict[str, str]]:
    """The table of parameters as it was sent."""
    columns = {name: form.getlist(f"parameter-{name}") for name in ROW}
    count = max(map(len, columns.values()))
    return [{name: (values[at : at + 1] or [""])[0].strip() for name, values in columns.items()} for at in range(count)]


def _parameter(row: Mapping[str, str]) -> dict[str, Any]:
    choices = [choice.strip() for choice in row["choices"].split(",") if choice.strip()]
    return {
        "name": row["name"],
        "type": row["type"],
        "label": row["label"] or row["name"].replace("_", " ").capitalize(),
        "default": row["default"] or None,
        "choices": choices,
        "required": row["optional"] != "yes",
    }


def shown(found: Definition) -> MultiDict[str, str]:
    """A definition as its form sends it."""
    form = MultiDict({name: str(getattr(found, name)) for name in ("title", "source", "sql", "locale")})
    if found.chart:
        form.update({"chart-kind": found.chart.kind, "chart-x": found.chart.x, "chart-y": ", ".join(found.chart.y)})
    for each in found.parameters:
        facts = {"name": each.name, "type": each.type, "label": each.label, "default": each.default or ""}
        facts |= {"choices": ", ".join(each.choices), "optional": "" if each.required else "yes"}
        for name, value in facts.items():
            form.add(f"parameter-{name}", value)
    return form


def table(form: MultiDict[str, str]) -> list[dict[str, str]]:
    """The rows of the table of parameters, and some that are empty."""
    filled = [row for row in rows(form) if row["name"]]
    return filled + [dict.fromkeys(ROW, "")] * SPARE


def sources() -> list[str]:
    return [DATA, *current_app.config["REPORT_SOURCES"]]


def values() -> dict[str, str]:
    """The values of a report's parameters in the request's form; those left empty are left out."""
    given = {name.removeprefix(VALUE): value for name, value in request.form.items() if name.startswith(VALUE)}
    return {name: value for name, value in given.items() if value}


def questions(parameters: Sequence[Parameter], given: Mapping[str, str], faults: Sequence[Fault]) -> list[Field]:
    """A field for each parameter."""
    return [_question(each, given, faults) for each in parameters]


def _question(each: Parameter, given: Mapping[str, str], faults: Sequence[Fault]) -> Field:
    field = Field(VALUE + each.name, each.label, "input", required=each.required and each.default is None)
    field.value = given.get(field.name, each.default or "")
    field.faults = [fault.message for fault in faults if fault.pointer == f"/parameters/{each.name}"]
    if each.type == "choice":
        field.widget = "select"
        field.choices = list(each.choices) if each.required else ["", *each.choices]
    elif each.type == "period":
        field.attributes = {"list": "periods", "autocomplete": "off"}
        field.help = f"{', '.join(sorted(PERIODS)[:4])} … or two days as in 2026-01-01..2026-01-31."
    else:
        field.input_type = {"number": "text", "date": "date"}.get(each.type, "text")
        field.attributes = {"inputmode": "decimal"} if each.type == "number" else {}
    return field


def options(model: Any, given: Mapping[str, str] | None, faults: tuple[Fault, ...]) -> tuple[list[Field], list[Field]]:
    """The rest of the payload: what most people choose, and the others."""
    fields = [field for field in forms.fields_of(model, given, faults) if field.name not in LEFT_OUT]
    return [each for each in fields if each.name in COMMON], [each for each in fields if each.name not in COMMON]
