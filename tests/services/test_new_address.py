"""Another address: by a link to the new one, with a word to the old one, and nothing said about others."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from tests.queue.rows import OWNER, add_owner
from tests.smtp_server import SmtpServer
from webapi.errors import Conflict, NotFound
from webapi.extensions import db
from webapi.models import Job, User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import accounts, new_address, recovery, tickets, trail

pytestmark = [
    pytest.mark.usefixtures("owner"),
    pytest.mark.parametrize("ground", ["sqlite"], indirect=True, scope="module"),
]
KINDS = ["email.new_address", "email.address_asked"]
LINK = re.compile(r'href="http://127.0.0.1:5000/account/address/([^"]+)"')


def ask(owner: User, email: str = "new@example.com") -> None:
    new_address.ask(owner, email)
    for kind in KINDS:
        work(kind_named(kind))


def text_to(server: SmtpServer, email: str) -> str:
    body = server.to(email)[-1].message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def link_to(server: SmtpServer, email: str = "new@example.com") -> str:
    return str(LINK.findall(text_to(server, email))[0])


def email_of(owner_id: object = OWNER) -> str:
    db.session.rollback()
    return db.session.get_one(User, owner_id).email


def test_the_address_changes_when_the_link_is_opened_and_not_before(mail_server: SmtpServer, owner: User) -> None:
    ask(owner)
    token = link_to(mail_server)
    assert email_of() == "ada@example.com"
    assert new_address.confirm(token) == "new@example.com"
    assert email_of() == "new@example.com"
    with pytest.raises(NotFound):
        new_address.confirm(token)
    assert [line.what for line in trail.of(owner)] == ["address.changed", "address.asked"]


def test_the_old_address_is_told_and_what_to_do(mail_server: SmtpServer, owner: User) -> None:
    ask(owner)
    notice = text_to(mail_server, "ada@example.com")
    assert "new@example.com" in notice
    assert "http://127.0.0.1:5000/reset" in notice
    assert not LINK.search(notice)


def test_a_new_password_makes_the_link_worthless(mail_server: SmtpServer, owner: User) -> None:
    """What the notice says to do helps against somebody who had the password."""
    ask(owner)
    token = link_to(mail_server)
    recovery.reset(recovery.token(owner), "another long one")
    with pytest.raises(NotFound):
        new_address.confirm(token)
    assert email_of() == "ada@example.com"


def test_the_next_request_takes_the_place_of_the_one_before(mail_server: SmtpServer, owner: User) -> None:
    ask(owner)
    token = link_to(mail_server)
    ask(owner, "other@example.com")
    with pytest.raises(NotFound):
        new_address.confirm(token)
    assert new_address.confirm(link_to(mail_server, "other@example.com")) == "other@example.com"


def test_an_address_that_is_taken_looks_the_same_and_its_owner_is_told(mail_server: SmtpServer, owner: User) -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    ask(owner, "EVE@example.com")
    ask(owner, "free@example.com")
    query = select(Job.kind, Job.state, Job.result, Job.error_public).where(Job.owner_id == owner.id).order_by(Job.id)
    taken, free = (db.session.execute(query).all()[start : start + 2] for start in (0, 2))
    assert taken == free
    told = text_to(mail_server, "eve@example.com")
    assert ("Somebody wanted to use this address" in told, LINK.search(told)) == (True, None)
    assert email_of(eve.id) == "eve@example.com"


def test_an_address_that_was_taken_meanwhile_is_refused(mail_server: SmtpServer, owner: User) -> None:
    ask(owner)
    add_owner(uuid4(), "new@example.com")
    with pytest.raises(Conflict):
        new_address.confirm(link_to(mail_server))
    assert email_of() == "ada@example.com"


def test_the_jobs_hold_no_address(owner: User) -> None:
    new_address.ask(owner, "new@example.com")
    payloads = str(list(db.session.scalars(select(Job.payload))))
    assert "@" not in payloads
    assert tickets.ADDRESS not in payloads
    assert accounts.by_email("new@example.com") is None
