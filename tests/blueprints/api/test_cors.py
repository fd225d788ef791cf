"""Other origins: nothing unless configured, and then exactly what is configured, never with cookies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import Person
from webapi.config import from_env
from webapi.errors import ConfigError

OURS = "https://app.example.com"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(CORS_ORIGINS=[OURS, "http://localhost:3000"])


def names(answer: TestResponse) -> set[str]:
    return {name for name, _ in answer.headers if name.lower().startswith("access-control")}


def test_without_any_origin_nothing_is_said(make_app: Callable[..., Flask], ada: Person) -> None:
    client = make_app(CORS_ORIGINS=[]).test_client()
    asked = client.options("/api/v1/jobs", headers={"Origin": OURS, **ASKS})
    told = client.get("/api/v1/me", headers={"Origin": OURS, **ada.headers})
    assert (names(asked), names(told), "Origin" in told.headers.get("Vary", "")) == (set(), set(), False)


def test_a_preflight_is_answered_without_a_key(app: Flask) -> None:
    answer = app.test_client().options("/api/v1/jobs/email.send", headers={"Origin": OURS, **ASKS})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/jobs/01900000-0000-7000-8000-000000000000"])
def test_an_answer_or_a_problem_may_be_read_by_the_origin(app: Flask, ada: Person, path: str) -> None:
    answer = app.test_client().get(path, headers={"Origin": OURS, **ada.headers})
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.com.evil.example", "http://app.example.com", "https://APP.example.com", "null",
     "https://app.example.com:443", "https://app.example.com/", "https://evil.example", "*", ""],
)  # fmt: skip
def test_another_origin_is_told_nothing_but_that_it_matters(app: Flask, ada: Person, origin: str) -> None:
    client = app.test_client()
    asked = client.options("/api/v1/me", headers={"Origin": origin, **ASKS})
    told = client.get("/api/v1/me", headers={"Origin": origin, **ada.headers})
    assert (names(asked), names(told), told.status_code) == (set(), set(), 200)
    assert "Origin" in told.headers["Vary"]


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/process", "/docs", "/static/app.css"])
def test_pages_are_for_their_own_origin(app: Flask, path: str) -> None:
    client = app.test_client()
    assert names(client.get(path, headers={"Origin": OURS})) == set()
    assert names(client.options(path, headers={"Origin": OURS, **ASKS})) == set()


@pytest.mark.parametrize(
    "origin", ["*", "app.example.com", "https://app.example.com/", "https://A.example", "null", ""]
)
def test_what_is_no_origin_is_refused_at_the_start(database_url: str, origin: str) -> None:
    with pytest.raises(ConfigError, match="CORS_ORIGINS"):
        from_env({"DATABASE_URL": database_url, "CORS_ORIGINS": [origin]})
