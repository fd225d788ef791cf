"""Asking the API as Ada's program does, or as another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.blueprints.site import Site

Ask = Callable[..., TestResponse]


def asking(site: Site, headers: dict[str, str] | None = None) -> Ask:
    """`ask("GET", "/templates")`; bodies by `json=` or `data=`, more headers by `headers=`."""

    def ask(method: str, path: str, **options: Any) -> TestResponse:
        more = {**(headers or site.ada.headers), **options.pop("headers", {})}
        return site.program.open(f"/api/v1{path}", method=method, headers=more, **options)

    return ask


def body(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """The JSON of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.get_json(force=True)
    return found
