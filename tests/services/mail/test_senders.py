"""Senders: nobody sends from an address whose reader has not said yes."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.queue.rows import OWNER, add_owner
from tests.services.mail.mailing import BOB, body, outcomes, person, refused, send, submit
from tests.smtp_server import SmtpServer
from webapi.errors import Conflict, NotFound
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import links
from webapi.services.mail import senders

pytestmark = pytest.mark.usefixtures("owner")
OTHER = UUID("01900000-0000-7000-8000-00000000eee0")
BOSS = "boss@corp.example"


def test_the_default_is_everybodys() -> None:
    assert senders.envelope(OWNER, None).address == "webapi@localhost.example"
    assert senders.envelope(None, "WEBAPI@localhost.example", BOB).reply_to == BOB


def test_a_configured_sender_is_everybodys_with_its_name(ground: Flask) -> None:
    before, ground.config["MAIL_SENDERS"] = ground.config["MAIL_SENDERS"], ["The <Boss> <Boss@corp.example>", BOB]
    try:
        assert senders.envelope(OWNER, BOB).sender == BOB
    finally:
        ground.config["MAIL_SENDERS"] = before


def test_a_sender_is_used_once_its_reader_has_confirmed_it(mail_server: SmtpServer) -> None:
    senders.add(person(), "Boss@Corp.example", "Bøss, the", "answers@corp.example")
    with refused("/sender", "not confirmed"):
        submit(sender=BOSS)
    work(kind_named("email.sender"))
    (asked,) = mail_server.to(BOSS)
    (link,) = [word for word in body(asked).replace("(", " ").replace(")", " ").split() if "/senders/" in word]
    assert senders.confirm(link.rpartition("/")[2]) == BOSS
    send(sender="BOSS@corp.example")
    (mail,) = mail_server.to(BOB)
    (address,) = mail.message["From"].addresses
    assert (mail.sender, address.addr_spec, address.display_name) == (BOSS, BOSS, "Bøss, the")
    assert mail.message["Reply-To"] == "answers@corp.example"
    send(sender=BOSS, reply_to="ada@example.com")
    assert mail_server.stored[-1].message["Reply-To"] == "ada@example.com"


def test_the_sender_of_somebody_else_is_none_of_theirs() -> None:
    other = add_owner(OTHER, "eve@example.com")
    row = senders.add(person(), BOSS)
    senders.confirm(senders.token(row))
    with refused("/sender", "none of your senders"):
        submit(sender=BOSS, owner_id=OTHER)
    with pytest.raises(NotFound):
        senders.remove(other, row.id)
    assert [each.address for each in senders.of(OWNER)] == [BOSS]


@pytest.mark.parametrize(
    "sender", ["boss@evil.example", "webapi@localhost.example.evil.example", "x@localhost.example"]
)
def test_an_address_that_nobody_added_is_refused(sender: str) -> None:
    with refused("/sender", "Add it first"):
        submit(sender=sender)


def test_a_sender_is_added_once_and_asked_once() -> None:
    senders.add(person(), BOSS)
    with pytest.raises(Conflict):
        senders.add(person(), BOSS.upper())


@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "\ud800", "ä", "x" * 5000])
def test_a_forged_confirmation_confirms_nothing(forged: str) -> None:
    senders.add(person(), BOSS)
    with pytest.raises(NotFound):
        senders.confirm(forged)


def test_the_confirmation_of_one_sender_is_for_no_other() -> None:
    row = senders.add(person(), BOSS)
    for value in ([str(row.id), "other@corp.example"], [str(uuid4()), BOSS]):
        with pytest.raises(NotFound):
            senders.confirm(links.sign(senders.PURPOSE, value))
    with pytest.raises(NotFound):
        senders.confirm(links.sign("another purpose", [str(row.id), BOSS]))
    old = senders.token(row)
    senders.remove(person(), row.id)
    senders.add(person(), BOSS)
    with pytest.raises(NotFound):
        senders.confirm(old)


def test_a_sender_that_was_removed_meanwhile_sends_nothing(mail_server: SmtpServer) -> None:
    row = senders.add(person(), BOSS)
    senders.confirm(senders.token(row))
    job_id = submit(sender=BOSS)
    senders.remove(person(), row.id)
    work(kind_named("email.send"))
    assert (outcomes(job_id), mail_server.stored) == ({BOB: ("pending", None)}, [])


@pytest.mark.parametrize("name", ["a\nBcc: x@y.example", "a\r", "a\0", "a\u2028b"])
def test_no_name_of_a_sender_begins_another_header(name: str) -> None:
    with refused("/name", "one line"):
        senders.add(person(), BOSS, name)
