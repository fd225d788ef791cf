"""Pages: a person's keys. A key is seen once, and makes no others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site

KEY = re.compile(r"wapi_(?:live|test)_[0-9a-f]{12}_[0-9a-f]{64}")
ROUTES = [each for safe in (True, False) for each in routes(safe=safe) if each.endpoint.startswith("keys.")]


def make(browser: Browser, name: str = "nightly import") -> str:
    """A new key, from the one page that shows it."""
    page = browser.post("/keys", {"name": name})
    assert page.status_code == 201
    return str(KEY.findall(page.text)[0])


def test_a_test_key_is_made_by_its_box_and_listed_as_one(browser: Browser) -> None:
    page = browser.post("/keys", {"name": "trial run", "test": "on"}).text
    (row,) = [each for each in page.split("<tr>") if "trial run" in each]
    assert (KEY.findall(page)[0].startswith("wapi_test_"), ">test</td>" in row) == (True, True)


def me(site: Site, key: str) -> TestResponse:
    return site.program.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})


def test_a_key_is_shown_once_and_opens_the_api(site: Site, browser: Browser) -> None:
    key = make(browser)
    assert (me(site, key).json or {})["email"] == "ada@example.com"
    page = browser.get("/keys").text
    assert (key in page, f"{key[:22]}_…{key[-4:]}" in page) == (False, True)


def test_a_revoked_key_is_dead_at_once_and_says_so(site: Site, browser: Browser) -> None:
    key = make(browser, "to be revoked")
    (path,) = re.findall(r'action="(/keys/[0-9a-f-]+/revoke)"', only(browser))
    assert me(site, key).status_code == 200
    assert browser.post(path).location == "/keys"
    assert (me(site, key).status_code, "may have been revoked" in me(site, key).text) == (401, True)


def only(browser: Browser) -> str:
    """The row of the key that is to be revoked."""
    rows = browser.get("/keys").text.split("<tr>")
    return next(row for row in rows if "to be revoked" in row)


def test_a_revoked_key_is_not_replaced_by_the_session_beside_it(browser: Browser) -> None:
    answer = browser.get("/api/v1/me", headers={"Authorization": "Bearer wapi_live_0123456789ab_" + "0" * 64})
    assert answer.status_code == 401


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_key_cannot_see_make_or_revoke_keys(site: Site, route: Route) -> None:
    answer = site.program.open(route.path(), method=route.method, data={"name": "x"}, headers=site.ada.headers)
    assert answer.status_code == 403
    assert "An API key may not do this." in answer.text


@pytest.mark.parametrize(
    "how", [{"query_string": {"key": ""}}, {"query_string": {"access_token": ""}}, {"headers": {}}]
)
def test_a_key_counts_in_the_header_only(site: Site, how: dict[str, Any]) -> None:
    """In an address it would be in everybody's logs."""
    filled = {part: dict.fromkeys(names, site.ada.key) for part, names in how.items()}
    assert site.program.get("/api/v1/jobs", **filled).status_code == 401


@pytest.mark.parametrize(
    ("name", "shown"), [("", "key"), ("x" * 150, "x" * 100), ('"><script>alert(1)</script>', "&lt;script&gt;")]
)
def test_any_name_will_do_and_none_does_harm(browser: Browser, name: str, shown: str) -> None:
    make(browser, name)
    page = browser.get("/keys").text
    assert shown in page
    assert "<script>alert" not in page


def row_of(page: str, name: str) -> str:
    return next(row for row in page.split("<tr>") if name in row)


def test_without_a_word_a_key_submits_and_reads_for_a_year(site: Site, browser: Browser) -> None:
    key = make(browser, "by default")
    row = row_of(browser.get("/keys").text, "by default")
    assert ("submit, read<" in row, "in 364 days" in row) == (True, True)
    bearer = {"Authorization": f"Bearer {key}"}
    assert site.program.post("/api/v1/jobs/data.process", json={"data": 1}, headers=bearer).status_code == 202
    assert site.program.post("/api/v1/jobs/cancel?tag=x", headers=bearer).status_code == 403


def test_a_key_is_made_as_narrow_as_it_is_asked_for(browser: Browser) -> None:
    form = {"name": "narrow", "may": "read", "days": "30", "kind": "report.build"}
    row = row_of(browser.post("/keys", form).text, "narrow")
    assert (">read <" in row, "report.build alone" in row, "in 29 days" in row) == (True, True, True)


@pytest.mark.parametrize(
    "wrong", [{"may": "everything"}, {"days": "-1"}, {"kind": "email.welcome"}, {"kind": "no.such"}, {"owner_id": "x"}]
)
def test_what_the_form_does_not_offer_is_refused(browser: Browser, wrong: dict[str, str]) -> None:
    before = browser.get("/keys").text.count("<tr>")
    assert browser.post("/keys", {"name": "x", **wrong}).status_code == 422
    assert browser.get("/keys").text.count("<tr>") == before
