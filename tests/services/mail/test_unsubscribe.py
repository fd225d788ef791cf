"""No more mails, by one click; no address stands in the link."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.queue.rows import OWNER, effects
from tests.services.mail.mailing import BOB, body, outcomes, send, template
from tests.services.mail.strict import read
from tests.smtp_server import SmtpServer
from webapi.errors import NotFound
from webapi.services import links
from webapi.services.mail import suppressions, unsubscribe
from webapi.services.mail.letters import Letter, prepare
from webapi.services.mail.message import Envelope, Press

pytestmark = pytest.mark.usefixtures("owner")


def test_a_letter_that_shows_the_link_gets_one_also_as_a_single_mail(mail_server: SmtpServer) -> None:
    """It was accepted, and then had no value for it, however often it was tried."""
    template("news", html='<p>Hi</p><a href="{{unsubscribe_url}}">No more</a>')
    job_id = send(template="news", values={"name": "x"})
    assert outcomes(job_id) == {BOB: ("done", 250)}
    found = re.search(r"http://127\.0\.0\.1:5000/unsubscribe/([\w.-]+)", body(mail_server.stored[0]))
    assert found
    assert "bob" not in found[0]
    subscription = unsubscribe.end(found[1])
    assert (subscription.address, subscription.owner_id, subscription.owner_name) == (BOB, OWNER, "Ada")
    unsubscribe.end(found[1])
    assert list(suppressions.among(OWNER, [BOB])) == [BOB]
    assert outcomes(send(BOB)) == {BOB: ("held", None)}


def test_reading_the_link_ends_nothing(mail_server: SmtpServer) -> None:
    job_id = send(BOB)
    token = links.sign_for_ever(unsubscribe.PURPOSE, str(effects(job_id)[BOB].id))
    assert unsubscribe.find(token).address == BOB
    assert suppressions.among(OWNER, [BOB]) == {}
    assert len(mail_server.stored) == 1


@pytest.mark.parametrize("forged", ["", "x", "a.b", "\ud800"])
def test_a_forged_link_is_about_nobody(forged: str) -> None:
    with pytest.raises(NotFound):
        unsubscribe.end(forged)


def test_a_mail_that_is_forgotten_is_about_nobody_and_another_purpose_is_none() -> None:
    for token in (links.sign_for_ever(unsubscribe.PURPOSE, str(uuid4())), links.sign_for_ever("x", str(uuid4()))):
        with pytest.raises(NotFound):
            unsubscribe.find(token)


def test_a_bulk_mail_says_in_its_headers_how_to_get_no_more() -> None:
    """RFC 8058 section 3.1: an https address between angles, and the one value that the other header may have."""
    letter = prepare(Letter("Hi", "Hi.", bulk=True))
    raw = Press(letter, Envelope("us@example.com", bulk=True)).print(BOB, "<1@a.example>", {}, "https://a.example/u")
    message = read(raw)
    assert message["List-Unsubscribe"] == "<https://a.example/u>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
