"""The form by which a person corrects how a dataset's file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from webapi.errors import Fault
from webapi.models import Dataset
from webapi.services.datasets.ways import SAID, Encoding

TYPE = "type-"  # before the number of a column
BOOLEANS = {"yes": True, "no": False}
TAB = "tab"  # browsers trim a real one


@dataclass
class Asked:
    """One field. `told` is what the file itself seems to say, and what an empty one means."""

    name: str
    label: str
    choices: dict[str, str] = field(default_factory=dict)
    input_type: str = "text"
    value: str = ""
    told: str = ""
    faults: list[str] = field(default_factory=list)


FIELDS = (
    Asked("delimiter", "Cells are separated by", {",": "comma", ";": "semicolon", TAB: "tab", "|": "bar"}),
    Asked("quote", "Cells are quoted by", {'"': "double quotes", "'": "single quotes", "none": "nothing"}),
    Asked("encoding", "Encoding", {name: name for name in get_args(Encoding)}),
    Asked("header", "The first row names the columns", {"yes": "yes", "no": "no"}),
    Asked("decimal", "Before decimals stands a", {".": "point", ",": "comma"}),
    Asked("skip", "Lines before the table", input_type="number"),
    Asked("date_format", "Dates are written like"),
    Asked("timestamp_format", "Dates with times are written like"),
)


def fields(row: Dataset, faults: tuple[Fault, ...] = ()) -> list[Asked]:
    """What can be said of a file in this format, with what was said and what was told from the file."""
    given, told = row.options.get("given", {}), row.options.get("found", {})
    return [
        Asked(
            each.name,
            each.label,
            each.choices,
            each.input_type,
            value=_shown(given.get(each.name)),
            told=_shown(told.get(each.name)),
            faults=[fault.message for fault in faults if fault.pointer.rpartition("/")[2] == each.name],
        )
        for each in FIELDS
        if each.name in SAID[row.format]
    ]


def said(row: Dataset, form: Mapping[str, str]) -> dict[str, Any]:
    """What a form said, as values of `Ways`. What was left empty is told from the file."""
    values: dict[str, Any] = {}
    for each in fields(row):
        if text := form.get(each.name, "").strip():
            values[each.name] = BOOLEANS.get(text, text) if each.name == "header" else text
    if values.get("delimiter") == TAB:
        values["delimiter"] = "\t"
    if "types" in SAID[row.format]:
        values["types"] = _types(row, form)
    return values


def _types(row: Dataset, form: Mapping[str, str]) -> dict[str, str]:
    """Of the columns that the page showed; of a file that could not be read, those that were said before stay."""
    if not row.columns and f"{TYPE}keep" in form:
        return dict(row.options.get("given", {}).get("types", {}))
    asked = {name: form.get(f"{TYPE}{number}", "") for number, (name, _) in enumerate(row.columns)}
    return {name: kind for name, kind in asked.items() if kind}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return TAB if value == "\t" else "" if value is None else str(value)
