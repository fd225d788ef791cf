"""Pages: signing in and out, and nothing that a stranger could learn from them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.blueprints.site import REQUEST_ID, TOKEN, Browser, Site
from tests.conftest import Person
from tests.servers import Broker


def sign_in(browser: Browser, email: str, password: str = Person.password, query: str = "") -> TestResponse:
    headers = {"X-Request-ID": REQUEST_ID}
    return browser.post(f"/login{query}", {"email": email, "password": password}, headers=headers)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/keys").status_code == 200


def test_the_right_password_signs_in(site: Site, visitor: Browser) -> None:
    answer = sign_in(visitor, "ADA@example.com")
    assert (answer.status_code, answer.location) == (302, "/")
    assert is_signed_in(visitor)


@pytest.mark.parametrize("password", ["", "wrong", Person.password + " ", Person.password.upper(), "x" * 5000])
def test_no_other_password_does(site: Site, visitor: Browser, password: str) -> None:
    assert sign_in(visitor, site.ada.email, password).status_code == 422
    assert not is_signed_in(visitor)


def test_unknown_and_wrong_are_one_answer(site: Site, visitor: Browser) -> None:
    known, unknown = (sign_in(visitor, email, "wrong") for email in (site.ada.email, "nobody@example.com"))
    assert (known.status_code, known.headers["Content-Type"]) == (unknown.status_code, unknown.headers["Content-Type"])
    pages = {TOKEN.sub("", each.text).replace("nobody@", "ada@") for each in (known, unknown)}
    assert len(pages) == 1


def test_a_nul_for_an_address_is_no_500(visitor: Browser) -> None:
    assert sign_in(visitor, "ada\0@example.com").status_code == 400


def test_what_was_typed_is_shown_escaped_and_no_password_is(visitor: Browser) -> None:
    page = sign_in(visitor, '"><script>alert(1)</script>', "a-secret-that-was-typed").text
    assert "<script>alert" not in page
    assert "a-secret-that-was-typed" not in page


@pytest.mark.parametrize("target", ["/jobs", "/jobs?state=failed", "/new/email.send", "/jobs/a%20b"])
def test_after_signing_in_one_is_where_one_wanted_to_be(visitor: Browser, target: str) -> None:
    answer = visitor.post(
        "/login", {"email": "ada@example.com", "password": Person.password}, query_string={"next": target}
    )
    assert answer.location == target


ELSEWHERE = [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "javascript:alert(1)", "evil.example",
    "http:evil.example", "/a\\..\\\\evil", "\t//evil.example", " //evil.example",
    "https:/evil.example", "@evil.example", "/\u2028/evil", "",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_and_never_on_another_site(browser: Browser, target: str) -> None:
    """Somebody who is signed in already is sent on at once."""
    answer = browser.get("/login", query_string={"next": target})
    assert (answer.status_code, answer.location) == (302, "/")


def test_a_visitor_is_sent_to_sign_in_and_back(visitor: Browser) -> None:
    answer = visitor.get("/jobs?state=failed")
    assert (answer.status_code, answer.location) == (302, "/login?next=/jobs?state%3Dfailed")


def test_what_a_visitor_had_in_their_session_is_not_a_persons(site: Site, visitor: Browser) -> None:
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    sign_in(visitor, site.ada.email)
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
        assert "_user_id" in session


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def test_signing_out_ends_a_copied_cookie_too(site: Site) -> None:
    """Eve's, so that Ada stays signed in."""
    browser, thief = Browser(site.app, site.eve), Browser(site.app)
    thief.client.set_cookie("session", cookie_of(browser))
    assert is_signed_in(thief)
    assert browser.post("/logout").location == "/login"
    assert (is_signed_in(browser), is_signed_in(thief)) == (False, False)


@pytest.mark.parametrize("user_id", ["", "x", "0", "01900000-0000-7000-8000-000000000000:0", "a:b:c", "None"])
def test_a_session_of_nobody_is_nobodys(visitor: Browser, user_id: str) -> None:
    with visitor.client.session_transaction() as session:
        session["_user_id"] = user_id
    assert not is_signed_in(visitor)


@pytest.mark.parametrize(("public_url", "is_https"), [("https://w.example", True), ("http://127.0.0.1:5000", False)])
def test_the_cookie_is_out_of_the_reach_of_scripts_and_of_clear_text(
    make_app: Callable[..., Flask], public_url: str, is_https: bool
) -> None:
    answer = make_app(PUBLIC_URL=public_url, REDIS_URL="redis://127.0.0.1:1/0").test_client().get("/login")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert re.search("; HttpOnly; Path=/; SameSite=Lax|; HttpOnly.*SameSite=Lax", cookie)
    assert ("; Secure" in cookie, cookie.startswith("__Host-session=")) == (is_https, is_https)
    assert "Domain" not in cookie


def test_guessing_slows_down_and_redis_does_not_learn_whose_password_it_was(
    make_app: Callable[..., Flask], broker: Broker
) -> None:
    browser = Browser(make_app(RATELIMIT_ENABLED=True))
    answers = [sign_in(browser, "nobody@example.com", "") for _ in range(11)]
    assert [each.status_code for each in answers] == [422] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "60"
    keys = broker.client().keys("*limit*")
    assert keys
    assert not [key for key in keys if b"nobody" in key or b"127.0.0.1" in key]
