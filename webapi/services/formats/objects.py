"""JSON: one object with the heading, the columns, each row as an object, and at the end the manifest."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from webapi.services.formats.batches import Batches
from webapi.services.formats.proof import facts
from webapi.services.formats.table import Heading, Type, Written


def write_json(path: Path, heading: Heading, batches: Batches) -> Written:
    """Numbers with every digit they have, for readers that keep them; NaN and the infinities are null."""
    about = {
        "title": heading.title,
        "parameters": dict(heading.parameters),
        "as_of": heading.as_of.isoformat(),
        "columns": [{"name": column.name, "type": column.type} for column in batches.columns],
    }
    keys = [encode_basestring(column.name).replace("%", "%%") for column in batches.columns]
    template = "{" + ", ".join(f"{key}: %s" for key in keys) + "}"
    types = [column.type for column in batches.columns]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(about, ensure_ascii=False)[:-1] + ', "rows": [\n')
        comma = ""
        for batch in batches:
            columns = (VALUES[kind](values) for kind, values in zip(types, batch, strict=True))
            file.write(comma + ",\n".join([template % row for row in zip(*columns, strict=True)]))
            comma = ",\n"
        written = batches.written()
        file.write('\n], "manifest": ' + json.dumps(facts(heading, written), ensure_ascii=False) + "}\n")
    return written


def _texts(values: list[Any]) -> list[str]:
    return ["null" if value is None else encode_basestring(value) for value in values]


def _integers(values: list[Any]) -> list[str]:
    return ["null" if value is None else str(value) for value in values]


def _numbers(values: list[Any]) -> list[str]:
    return [
        "null" if value is None or not (type(value) in (int, Decimal) or math.isfinite(value)) else str(value)
        for value in values
    ]


def _booleans(values: list[Any]) -> list[str]:
    return ["null" if value is None else "true" if value else "false" for value in values]


def _moments(values: list[Any]) -> list[str]:
    return ["null" if value is None else f'"{value.isoformat()}"' for value in values]


VALUES: dict[Type, Callable[[list[Any]], list[str]]] = {
    "text": _texts,
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "date": _moments,
    "datetime": _moments,
}
