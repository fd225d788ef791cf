"""Handing in files through the doors, and what the worker made of them."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tests.conftest import Person
from tests.waiting import until


def hand_in(app: Flask, who: Person, file_name: str, content: bytes, **query: str) -> dict[str, Any]:
    """The dataset as the API answers when its file is kept."""
    answer = app.test_client().post(
        "/api/v1/datasets", data=content, query_string={"file_name": file_name, **query}, headers=who.headers
    )
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json or {}
    return made


def ask(app: Flask, who: Person, path: str, method: str = "GET", **options: Any) -> dict[str, Any]:
    answer = app.test_client().open(path, method=method, headers=who.headers, **options)
    assert answer.status_code < 300, answer.text
    found: dict[str, Any] = answer.get_json(force=True) if answer.data else {}
    return found


def inspected(app: Flask, who: Person, made: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
    """The dataset when a worker has read it."""

    def over() -> dict[str, Any] | None:
        found = ask(app, who, made["links"]["self"])
        return found if found["state"] != "inspecting" else None

    return until(over, seconds=seconds, what=f"{made['file_name']} to be inspected")
