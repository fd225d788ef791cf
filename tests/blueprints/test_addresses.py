"""The pages of senders and of addresses that are never mailed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.blueprints.site import Browser, Site
from webapi.extensions import db
from webapi.models import Sender
from webapi.services.mail import senders


def test_a_sender_is_asked_for_confirmed_and_removed(browser: Browser, visitor: Browser, site: Site) -> None:
    address = f"{uuid4().hex}@example.com"
    assert browser.post("/senders", {"address": address, "name": "Accounts"}).status_code == 303
    assert "waits for a click" in browser.get("/senders").text
    with site.app.app_context():
        row = db.session.scalars(db.select(Sender).where(Sender.address == address)).one()
        token, sender_id = senders.token(row), row.id
    question = visitor.get(f"/senders/confirm/{token}")
    assert f"May mail come from {address}?" in question.text
    with site.app.app_context():
        assert db.session.get_one(Sender, sender_id).verified_at is None, "a link that is only opened confirms nothing"
    assert visitor.post(f"/senders/confirm/{token}").status_code == 200
    assert "confirmed" in browser.get("/senders").text
    assert browser.post(f"/senders/{sender_id}/delete").status_code == 303
    assert address not in browser.get("/senders").text


def test_a_forged_confirmation_is_not_found(visitor: Browser) -> None:
    assert visitor.get("/senders/confirm/forged").status_code == 404


@pytest.mark.parametrize("address", ["nobody", "a@x.example, b@x.example", '"q"@x.example', "a@[127.0.0.1]"])
def test_what_is_not_one_address_is_refused(browser: Browser, address: str) -> None:
    assert browser.post("/senders", {"address": address}).status_code == 422
    assert browser.post("/suppressions", {"address": address}).status_code == 422


def test_an_address_is_suppressed_found_and_allowed_again(browser: Browser) -> None:
    address = f"{uuid4().hex}@example.com"
    assert browser.post("/suppressions", {"address": address.upper()}).status_code == 303
    assert address in browser.get(f"/suppressions?search={address[:12]}").text
    assert address not in browser.get("/suppressions?search=nothing-like-it").text
    assert browser.post("/suppressions/remove", {"address": address}).status_code == 303
    assert address not in browser.get(f"/suppressions?search={address[:12]}").text
    assert browser.post("/suppressions/remove", {"address": address}).status_code == 404


def test_another_persons_addresses_are_not_there(browser: Browser, site: Site) -> None:
    address = f"{uuid4().hex}@example.com"
    browser.post("/suppressions", {"address": address})
    eve = Browser(site.app, site.eve)
    assert address not in eve.get("/suppressions").text
    assert eve.post("/suppressions/remove", {"address": address}).status_code == 404
