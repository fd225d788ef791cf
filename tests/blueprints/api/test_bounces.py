"""Handing in what came back, as the program does that reads the mailbox for it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site
from tests.services.mail.notices import POSTFIX, bounce_of

MAIL = {"Content-Type": "message/rfc822"}


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


def test_a_mail_that_came_back_is_marked_and_its_address_is_not_mailed_again(site: Site, ask: Ask) -> None:
    address = f"delivered+{uuid4().hex}@simulator.webapi"
    job = site.submit("email.send", {"to": [address], "subject": "s", "text": "t"})
    site.work("email.send")
    (sent,) = body(ask("GET", f"/jobs/{job['id']}/effects"))["effects"]
    raw = bounce_of(sent["message_id"], address)
    assert body(ask("POST", "/bounces", data=raw, headers=MAIL)) == {"notices": 1, "settled": 1, "suppressed": 1}
    assert body(ask("POST", "/bounces", data=raw, headers=MAIL)) == {"notices": 1, "settled": 0, "suppressed": 0}
    (came_back,) = body(ask("GET", f"/jobs/{job['id']}/effects"))["effects"]
    assert (came_back["state"], came_back["bounce"]) == ("done", "550 5.1.1 nobody of that name lives here")
    assert came_back["bounced_at"] is not None
    assert body(ask("GET", f"/suppressions/{address}"))["reason"] == "bounce"


@pytest.mark.parametrize("media_type", ["message/rfc822", "application/octet-stream", "text/plain; charset=utf-8"])
def test_a_notification_about_nothing_of_ours_changes_nothing(ask: Ask, media_type: str) -> None:
    answer = ask("POST", "/bounces", data=POSTFIX, headers={"Content-Type": media_type})
    assert body(answer) == {"notices": 1, "settled": 0, "suppressed": 0}


def test_a_mail_that_is_no_notification_is_refused_with_a_sentence(ask: Ask) -> None:
    refused = body(ask("POST", "/bounces", data=b"Subject: Out of office\n\nBack soon.\n", headers=MAIL), 422)
    assert refused["detail"].startswith("This is no delivery status notification: ")


@pytest.mark.parametrize(
    ("media_type", "raw", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data; boundary=x", POSTFIX, 415),
        ("", POSTFIX, 415),
        ("message/rfc822", b"", 422),
        ("message/rfc822", b"\x00\xff" * 100, 422),
        ("message/rfc822", POSTFIX + b"x" * 1024 * 1024, 413),
    ],
)
def test_anything_else_is_refused(ask: Ask, media_type: str, raw: bytes, status: int) -> None:
    assert ask("POST", "/bounces", data=raw, headers={"Content-Type": media_type}).status_code == status


def test_nobody_hands_in_without_a_key(site: Site) -> None:
    assert site.program.post("/api/v1/bounces", data=POSTFIX, headers=MAIL).status_code == 401
