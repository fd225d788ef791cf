"""What every answer carries: headers that tie a browser's hands, and an id that follows the request."""

from __future__ import annotations

import re

import pytest

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site

SHOWN = [route for route in routes(safe=True) if route.endpoint not in {"static", "inbox.html"}]
PAGES = [route for route in SHOWN if not route.rule.rule.startswith(("/api/", "/status", "/healthz", "/readyz"))]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("route", SHOWN, ids=str)
def test_every_answer_ties_the_browsers_hands(browser: Browser, route: Route) -> None:
    headers = browser.get(route.path()).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert not [name for name, _ in headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_no_page_has_anything_inline_that_the_policy_forbids(browser: Browser, route: Route) -> None:
    page = browser.get(route.path()).text
    assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


@pytest.mark.parametrize("path", ["/nothing/here", "/api/v1/nothing", "/api/v1/jobs/%00", "/static/nothing.css"])
def test_an_answer_of_404_carries_them_too(visitor: Browser, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code in {404, 405}
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_what_does_not_change_may_be_kept(visitor: Browser) -> None:
    answer = visitor.get("/static/app.css")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")


def test_a_request_has_an_id_that_nobody_else_has(visitor: Browser) -> None:
    first, second = (visitor.get("/healthz").headers["X-Request-ID"] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f-]{36}", first)
    assert first != second


def test_an_id_that_is_given_is_kept_and_goes_with_the_job(site: Site) -> None:
    headers = {**site.ada.headers, "X-Request-ID": "trace-1234.5678_9"}
    answer = site.program.post("/api/v1/jobs/data.process", json={"data": 1}, headers=headers)
    assert answer.headers["X-Request-ID"] == "trace-1234.5678_9"
    assert site.job((answer.json or {})["id"]).request_id == "trace-1234.5678_9"


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "two words", "<script>alert(1)</script>", "ümlaut-12", "a;b=c;dddd"]
)
def test_an_id_that_could_do_harm_is_replaced(visitor: Browser, given: str) -> None:
    answer = visitor.get("/healthz", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-ID"])
