"""Every route of the app, so that a test of all of them meets the new ones too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.routing import Rule

from webapi import create_app

SAFE = {"GET", "HEAD", "OPTIONS"}
NOBODYS = UUID("01900000-0000-7000-8000-000000000000")
# Something for each name in a path. Paths of a test's own replace these.
FILLING = {"kind": "data.process", "kind_name": "data.process", "filename": "app.css", "name": "x", "mail_id": "x"}


@dataclass(frozen=True)
class Route:
    """One path and one verb."""

    endpoint: str
    method: str
    rule: Rule

    def path(self, values: Mapping[str, Any] | None = None) -> str:
        given = {name: FILLING.get(name, NOBODYS) for name in self.rule.arguments} | dict(values or {})
        built = self.rule.build({name: given[name] for name in self.rule.arguments})
        assert built is not None
        return str(built[1])

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


@cache
def _app() -> Flask:
    return create_app({"DATABASE_URL": "sqlite://", "INBOX_PATH": "inbox"})


def routes(*, safe: bool) -> list[Route]:
    """Those that only answer, or those that change something. HEAD and OPTIONS go with GET."""
    with _app().app_context():
        return [
            Route(rule.endpoint, method, rule)
            for rule in sorted(_app().url_map.iter_rules(), key=lambda rule: rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            if (method in SAFE) is safe
        ]
