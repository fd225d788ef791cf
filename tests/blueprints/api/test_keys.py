"""Keys for a person's own scripts: made and revoked in a session, and never by a key."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site

ROUTES = [each for safe in (True, False) for each in routes(safe=safe) if each.endpoint.startswith("api_keys.")]


def send(browser: Browser, method: str, path: str = "", **options: Any) -> TestResponse:
    headers = {"X-CSRFToken": browser.token()}
    return browser.client.open(f"/api/v1/keys{path}", method=method, headers=headers, **options)


def test_a_key_is_made_shown_once_listed_and_revoked(site: Site, browser: Browser) -> None:
    made = send(browser, "POST", json={"name": "nightly import", "type": "test"})
    found = made.json or {}
    assert (made.status_code, found["type"], found["key"][:22]) == (201, "test", found["prefix"])
    bearer = {"Authorization": f"Bearer {found['key']}"}
    assert (site.program.get("/api/v1/me", headers=bearer).json or {})["sandbox"] is True
    listed = send(browser, "GET").json or {}
    assert found["id"] in [each["id"] for each in listed["keys"]]
    assert found["key"] not in str(listed)
    assert send(browser, "DELETE", f"/{found['id']}").status_code == 204
    assert site.program.get("/api/v1/me", headers=bearer).status_code == 401
    assert send(browser, "DELETE", f"/{found['id']}").status_code == 404


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_key_cannot_see_make_or_revoke_keys(site: Site, route: Route) -> None:
    json = {"name": "x"} if route.method == "POST" else None
    answer = site.program.open(route.path(), method=route.method, json=json, headers=site.ada.headers)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (403, "forbidden")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_visitor_gets_nothing(site: Site, route: Route) -> None:
    assert site.program.open(route.path(), method=route.method).status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\nb"}, {"name": "x", "type": "all"}]
)
def test_what_is_no_key_is_422(browser: Browser, body: dict[str, str]) -> None:
    assert send(browser, "POST", json=body).status_code == 422


def test_without_its_token_a_session_makes_no_key(browser: Browser) -> None:
    assert browser.client.post("/api/v1/keys", json={"name": "x"}).status_code == 403
