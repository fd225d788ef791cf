"""Names, texts and calls as SQL, whatever is in them. Standard library alone: the child imports this."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def identifier(name: str) -> str:
    """A name in SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: object) -> str:
    """A text in SQL, whatever is in it."""
    return "'" + str(text).replace("'", "''") + "'"


def call(function: str, link: Path, arguments: dict[str, Any]) -> str:
    """A call of a table function that reads `link`; a dict is a STRUCT of texts."""
    return f"{function}({quoted(link)}, {', '.join(f'{name}={_literal(value)}' for name, value in arguments.items())})"


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in value.items()) + "}"
    return str(value) if isinstance(value, bool | int) else quoted(value)
