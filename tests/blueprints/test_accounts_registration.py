"""Pages: to register and to confirm an address, without telling anybody who is here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.blueprints.site import TOKEN, Browser, Site
from tests.smtp_server import SmtpServer, smtp_server
from webapi.extensions import db
from webapi.models import Job, User

WANTED = {"name": "Bob", "email": "bob@example.com", "password": "a good long password"}


@pytest.fixture
def mail_server(site: Site) -> Iterator[SmtpServer]:
    with smtp_server() as server:
        site.app.extensions["mail"].port = server.port
        yield server
        if kept := site.app.extensions.pop("smtp", None):
            kept.close()


@pytest.fixture(autouse=True)
def _nobody_is_bob(site: Site) -> Iterator[None]:
    yield
    with site.app.app_context():
        for user in db.session.scalars(select(User).where(User.email.like("%bob%"))):
            db.session.delete(user)
        db.session.query(Job).filter(Job.kind.like("email.%")).delete()
        db.session.commit()


def register(browser: Browser, **changes: str) -> TestResponse:
    return browser.post("/register", {**WANTED, **changes})


def bobs(site: Site) -> int | None:
    with site.app.app_context():
        return db.session.scalar(select(func.count()).select_from(User).where(User.email.like("%bob%")))


def kinds(site: Site) -> list[str]:
    with site.app.app_context():
        return list(db.session.scalars(select(Job.kind).where(Job.kind.like("email.%")).order_by(Job.id)))


def test_somebody_new_is_registered_and_welcomed(site: Site, visitor: Browser) -> None:
    assert register(visitor).status_code == 200
    assert (bobs(site), kinds(site)) == (1, ["email.welcome"])
    with site.app.app_context():
        bob = db.session.scalars(select(User).where(User.email == "bob@example.com")).one()
        assert (bob.verified_at, bob.is_admin, WANTED["password"] in bob.password_hash) == (None, False, False)


def test_an_address_that_is_taken_gives_the_same_page_and_its_owner_is_told(site: Site, visitor: Browser) -> None:
    fresh, taken = register(visitor), register(visitor, name="Mallory", password="another good password")
    assert (fresh.status_code, TOKEN.sub("", fresh.text)) == (taken.status_code, TOKEN.sub("", taken.text))
    assert (bobs(site), kinds(site)) == (1, ["email.welcome", "email.taken"])


def test_an_address_is_taken_however_it_is_written(site: Site, visitor: Browser) -> None:
    register(visitor)
    register(visitor, email="BOB@Example.COM")
    assert bobs(site) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "bob"}, "This is not one email address"),
        ({"email": "bob@example.com, eve@example.com"}, "This is not one email address"),
        ({"email": "bob@example.com\r\nBcc: eve@example.com"}, "This is not one email address"),
        ({"password": "short"}, "Use at least 10 characters."),
        ({"password": "password123"}, "This one is on every list of common passwords; use another."),
        ({"password": "ü" * 513}, "Use at most 1024 bytes."),
        ({"name": ""}, "It should have at least 1 character."),
        ({"name": "Bob\r\nBcc: eve@example.com"}, "Use one line, without line breaks or control characters."),
        ({"name": "B" * 101}, "It should have at most 100 characters."),
        ({"is_admin": "1"}, ""),
    ],
)
def test_what_is_not_right_is_said_beside_its_field(
    site: Site, visitor: Browser, changes: dict[str, str], sentence: str
) -> None:
    answer = register(visitor, **changes)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert (bobs(site), kinds(site)) == (0, [])


def test_no_password_is_shown_again(visitor: Browser) -> None:
    assert WANTED["password"] not in register(visitor, email="bob").text


def test_what_was_typed_is_escaped(visitor: Browser) -> None:
    assert "<script>alert" not in register(visitor, name="<script>alert(1)</script>", email='"><script>alert(1)').text


def test_a_closed_door_is_closed(make_app: Callable[..., Flask]) -> None:
    browser = Browser(make_app(REGISTRATION="closed"))
    answer = register(browser)
    assert answer.status_code == 403
    assert "Registration is closed here." in answer.text


def link_in(server: SmtpServer) -> str:
    (mail,) = server.to("bob@example.com")
    body: Any = mail.message.get_body(("plain",))
    (link,) = re.findall(r"https?://[^\s)]+", body.get_content())
    return str(link)


def confirmed(site: Site) -> bool:
    with site.app.app_context():
        bob = db.session.scalars(select(User).where(User.email == "bob@example.com")).one()
        return bob.verified_at is not None


def test_the_link_of_the_mail_confirms_the_address(site: Site, visitor: Browser, mail_server: SmtpServer) -> None:
    register(visitor)
    site.work("email.welcome")
    path = link_in(mail_server).removeprefix("http://127.0.0.1:5000")
    assert [visitor.get(path).status_code for _ in range(2)] == [302, 302]  # a mail scanner may have been first
    assert confirmed(site)


@pytest.mark.parametrize(
    "forge", [lambda token: token[:-1], lambda token: "x", lambda token: token.replace(".", "", 1)]
)
def test_a_link_that_was_changed_confirms_nothing(
    site: Site, visitor: Browser, mail_server: SmtpServer, forge: Callable[[str], str]
) -> None:
    register(visitor)
    site.work("email.welcome")
    token = link_in(mail_server).rpartition("/")[2]
    assert visitor.get(f"/verify/{forge(token)}").status_code == 404
    assert not confirmed(site)


def test_a_forged_host_is_in_no_link_of_a_mail(site: Site, visitor: Browser, mail_server: SmtpServer) -> None:
    """One in the Host itself is refused; see test_hosts.py."""
    request: dict[str, Any] = {"headers": {"X-Forwarded-Host": "evil.example"}}
    token = TOKEN.findall(visitor.get("/register", **request).text)[0]
    visitor.client.post("/register", data={**WANTED, "csrf_token": token}, **request)
    site.work("email.welcome")
    assert link_in(mail_server).startswith("http://127.0.0.1:5000/verify/")
    assert b"evil" not in mail_server.stored[0].wire


def test_before_the_address_is_confirmed_no_job_is_accepted(site: Site, visitor: Browser) -> None:
    register(visitor)
    visitor.post("/login", {"email": WANTED["email"], "password": WANTED["password"]})
    answer = visitor.post("/new/data.process", {"data": "[1]"})
    assert answer.status_code == 403
    assert "Confirm your email address first" in answer.text


def test_the_link_can_be_sent_again(site: Site, visitor: Browser) -> None:
    register(visitor)
    visitor.post("/login", {"email": WANTED["email"], "password": WANTED["password"]})
    assert visitor.post("/verify").status_code == 302
    assert kinds(site) == ["email.welcome", "email.verify"]


def test_nobody_is_sent_a_link_by_a_visitor(site: Site, visitor: Browser) -> None:
    assert visitor.post("/verify").status_code == 401
    assert kinds(site) == []
