"""A browser sends its cookies for anybody who asks: no change of state without the token of a page of ours."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site
from webapi.blueprints.identity import SIGNED_LINKS

UNSAFE = routes(safe=False)
CHANGES = [route for route in UNSAFE if route.endpoint not in SIGNED_LINKS]
PROGRAMS = ("/api/", "/process")


def test_there_is_something_to_protect() -> None:
    assert {"accounts.sign_in", "accounts.logout", "api_jobs.submit", "tutorial.process", "keys.create"} <= {
        route.endpoint for route in CHANGES
    }


def test_only_what_a_signed_link_does_needs_no_token(visitor: Browser) -> None:
    """Whoever has the link may do it (RFC 8058 section 3.2); one that nobody signed does nothing."""
    assert {"mail_links.end"} == SIGNED_LINKS
    (route,) = [route for route in UNSAFE if route.endpoint in SIGNED_LINKS]
    assert visitor.client.open(route.path(), method=route.method).status_code == 404


def refused(answer: TestResponse) -> None:
    assert answer.status_code == 403
    assert "This form is from another session." in answer.text


@pytest.mark.parametrize("route", CHANGES, ids=str)
def test_a_cookie_alone_changes_nothing(browser: Browser, route: Route) -> None:
    refused(browser.client.open(route.path(), method=route.method, data={"data": "1"}))


@pytest.mark.parametrize("route", CHANGES, ids=str)
@pytest.mark.parametrize("token", ["", "invented", "IjAwMDAi.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"])
def test_an_invented_token_changes_nothing(browser: Browser, route: Route, token: str) -> None:
    refused(browser.client.open(route.path(), method=route.method, data={"csrf_token": token}))


@pytest.mark.parametrize("route", CHANGES, ids=str)
def test_the_token_of_another_session_changes_nothing(browser: Browser, visitor: Browser, route: Route) -> None:
    browser.token()
    refused(browser.client.open(route.path(), method=route.method, data={"csrf_token": visitor.token()}))


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "multipart/form-data", ""])
@pytest.mark.parametrize("route", CHANGES, ids=str)
def test_no_media_type_gets_around_it(browser: Browser, route: Route, media_type: str) -> None:
    """A form of another site may send text/plain that looks like JSON."""
    headers = {"Content-Type": media_type} if media_type else {}
    refused(browser.client.open(route.path(), method=route.method, data=b'{"data": 1}', headers=headers))


@pytest.mark.parametrize("authorization", ["Basic YWRhOmE=", "Bearer", "bearer x", "Token wapi_live_x"])
def test_a_header_that_holds_no_key_does_not_get_around_it(browser: Browser, authorization: str) -> None:
    headers = {"Authorization": authorization}
    refused(browser.client.post("/api/v1/jobs/data.process", json={"data": 1}, headers=headers))


@pytest.mark.parametrize("path", ["/login", "/register", "/logout"])
def test_a_visitor_needs_a_token_too(visitor: Browser, path: str) -> None:
    """Or another site could sign a person in as somebody else."""
    refused(visitor.client.post(path, data={"email": "ada@example.com", "password": "x"}))


@pytest.mark.parametrize("route", [each for each in CHANGES if each.rule.rule.startswith(PROGRAMS)], ids=str)
def test_a_program_without_its_key_is_told_so(visitor: Browser, route: Route) -> None:
    assert visitor.client.open(route.path(), method=route.method, json={"data": 1}).status_code == 401


def test_a_program_with_its_key_needs_no_token(site: Site) -> None:
    answer = site.program.post("/api/v1/jobs/data.process", json={"data": 1}, headers=site.ada.headers)
    assert answer.status_code == 202


def test_with_its_token_a_page_may_use_the_api(browser: Browser) -> None:
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.client.post("/api/v1/jobs/data.process", json={"data": 1}, headers=headers)
    assert answer.status_code == 202


def test_signing_out_is_no_link(browser: Browser) -> None:
    assert browser.get("/logout").status_code == 405
    assert browser.get("/keys").status_code == 200
