"""Senders for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site
from webapi.models.transaction import writing
from webapi.services import keys
from webapi.services.mail import senders


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


@pytest.fixture
def limited(site: Site) -> Iterator[int]:
    """How many senders one person may have, for one test."""
    before, senders.MOST = senders.MOST, 3
    yield senders.MOST
    senders.MOST = before


def add(ask: Ask, **changes: Any) -> dict[str, Any]:
    wanted = {"address": f"{uuid4().hex}@shop.example.com", "name": "The shop", **changes}
    return body(ask("POST", "/senders", json=wanted), 201)


def named(ask: Ask, sender_id: str | None) -> list[dict[str, Any]]:
    return [each for each in body(ask("GET", "/senders"))["senders"] if each["id"] == sender_id]


def test_the_configured_ones_are_everybodys_and_have_no_id(site: Site, ask: Ask) -> None:
    configured = named(ask, None)
    assert configured[0]["address"] in site.app.config["MAIL_DEFAULT_SENDER"]
    assert all(each["verified"] for each in configured)


def test_a_new_one_is_not_verified_before_its_link_is_opened(site: Site, ask: Ask) -> None:
    added = add(ask, reply_to="help@example.com")
    assert (added["verified"], added["name"], added["reply_to"]) == (False, "The shop", "help@example.com")
    mail = {"to": ["bob@example.com"], "subject": "s", "text": "t", "sender": added["address"]}
    refused = body(ask("POST", "/jobs/email.send", json=mail), 422)
    assert "is not confirmed yet" in refused["errors"][0]["message"]
    with site.app.app_context():
        (row,) = [each for each in senders.of(site.ada.id) if str(each.id) == added["id"]]
        senders.confirm(senders.token(row))
    assert named(ask, added["id"])[0]["verified"] is True
    assert ask("POST", "/jobs/email.send", json=mail).status_code == 202


def test_it_is_added_once_and_removed(ask: Ask) -> None:
    added = add(ask)
    assert ask("POST", "/senders", json={"address": added["address"].upper()}).status_code == 409
    assert [ask("DELETE", f"/senders/{added['id']}").status_code for _ in range(2)] == [204, 404]
    assert named(ask, added["id"]) == []


def test_what_is_everybodys_is_nobodys_own(ask: Ask) -> None:
    address = named(ask, None)[0]["address"]
    assert ask("POST", "/senders", json={"address": address}).status_code == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"address": "shop"}, "/address"),
        ({"name": "The shop\r\nBcc: eve@example.com"}, "/name"),
        ({"reply_to": "x"}, "/reply_to"),
        ({"verified": True}, "/verified"),
    ],
)
def test_what_is_wrong_is_named(ask: Ask, change: dict[str, Any], pointer: str) -> None:
    answer = body(ask("POST", "/senders", json={"address": "a@example.com", **change}), 422)
    assert [fault["pointer"] for fault in answer["errors"]] == [pointer]


def test_one_person_has_so_many_and_no_more(site: Site, limited: int) -> None:
    eve = asking(site, site.eve.headers)
    for _ in range(limited):
        add(eve)
    assert "which is the limit" in body(eve("POST", "/senders", json={"address": "x@example.com"}), 409)["detail"]


def test_nobody_has_a_stranger_mailed_before_their_own_address_is_confirmed(site: Site, ask: Ask) -> None:
    with site.app.app_context():
        with writing():
            confirmed, site.ada.row.verified_at = site.ada.row.verified_at, None
        status = ask("POST", "/senders", json={"address": "stranger@example.com"}).status_code
        with writing():
            site.ada.row.verified_at = confirmed
    assert status == 403


def test_a_test_key_has_nobody_mailed(site: Site) -> None:
    with site.app.app_context():
        token = keys.create(site.ada.row, "trial", test=True)
    ask = asking(site, {"Authorization": f"Bearer {token}"})
    assert ask("POST", "/senders", json={"address": "stranger@example.com"}).status_code == 403
