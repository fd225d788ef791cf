"""Pages behind links that work once. The new address is in test_account.py."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask

from tests.blueprints.site import Browser
from webapi.models import Role
from webapi.services import accounts, invitations, tickets, trail

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WANTED = {"name": "Grace", "password": "a long enough one"}


@pytest.fixture
def closed(make_app: Callable[..., Flask]) -> Flask:
    """Where visitors cannot register."""
    return make_app(REGISTRATION="closed")


def invite(app: Flask, role: Role = Role.USER) -> tuple[str, str]:
    """The address and the path of an invitation."""
    email = f"{uuid4().hex}@example.com"
    with app.app_context():
        return email, f"/invitation/{tickets.token(invitations.invite(email, role, trail.COMMAND_LINE))}"


def role_of(app: Flask, email: str) -> str | None:
    with app.app_context():
        user = accounts.by_email(email)
        return user.role if user else None


def test_the_invited_come_in_where_registration_is_closed_and_once(closed: Flask) -> None:
    email, path = invite(closed)
    browser = Browser(closed)
    pages = [browser.get(path) for _ in range(2)]  # a mail scanner may have been first
    assert [(page.status_code, page.headers["Referrer-Policy"]) for page in pages] == [(200, "no-referrer")] * 2
    refused = browser.post(path, {**WANTED, "password": "short"})
    assert (refused.status_code, "Use at least 10 characters." in refused.text) == (422, True)
    assert browser.post(path, WANTED).location == "/"
    assert browser.get("/keys").status_code == 200
    assert (role_of(closed, email), Browser(closed).post(path, WANTED).status_code) == ("user", 404)


@pytest.mark.parametrize("more", [{"role": "administrator"}, {"email": "eve@example.com"}, {"is_admin": "1"}])
def test_nobody_becomes_more_than_they_were_invited_as(closed: Flask, more: dict[str, str]) -> None:
    email, path = invite(closed, Role.VIEWER)
    browser = Browser(closed)
    assert browser.post(path, {**WANTED, **more}).status_code == 422
    assert role_of(closed, email) is None
    browser.post(path, WANTED)
    assert role_of(closed, email) == "viewer"


@pytest.mark.parametrize("token", ["forged", "a.b", "%F0"])
def test_a_forged_link_opens_nothing(closed: Flask, token: str) -> None:
    browser = Browser(closed)
    assert browser.get(f"/invitation/{token}").status_code == 404
    assert browser.post(f"/invitation/{token}", WANTED).status_code == 404
