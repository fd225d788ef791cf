"""A new password by a link: it works once, for half an hour, and says nothing about who has an account."""

from __future__ import annotations

import re

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.queue.rows import job
from tests.smtp_server import SmtpServer
from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Job, User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import accounts, links, passwords, recovery, sessions

pytestmark = pytest.mark.usefixtures("owner")
NEW = "another long one"


def token(server: SmtpServer, owner: User) -> str:
    recovery.ask("ADA@example.com")
    work(kind_named("email.reset"))
    (mail,) = server.to(owner.email)
    body = mail.message.get_body(("html",))
    assert body is not None
    found = re.search(r'href="http://127.0.0.1:5000/reset/([^"]+)"', body.get_content())
    assert found is not None
    return found[1]


def test_the_link_sets_a_password_and_ends_every_session(mail_server: SmtpServer, owner: User) -> None:
    cookie = sessions.begin(owner, "")
    recovery.reset(token(mail_server, owner), NEW)
    assert accounts.authenticate("ada@example.com", NEW) is not None
    assert sessions.find(cookie) is None


def test_the_link_works_once(mail_server: SmtpServer, owner: User) -> None:
    link = token(mail_server, owner)
    recovery.reset(link, NEW)
    with pytest.raises(NotFound):
        recovery.reset(link, "and another one")
    assert accounts.authenticate("ada@example.com", NEW) is not None


def test_an_older_link_is_worth_nothing_once_the_password_changed(mail_server: SmtpServer, owner: User) -> None:
    link = token(mail_server, owner)
    owner.password_hash = passwords.hashed("changed meanwhile")
    db.session.commit()
    with pytest.raises(NotFound):
        recovery.person(link)


class Earlier(TimestampSigner):
    """Signs as if it were half an hour and a second ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - recovery.MAX_AGE - 1


def test_an_old_link_and_a_forged_one_are_not_found(owner: User) -> None:
    value = [str(owner.id), recovery._state_of(owner)]
    assert recovery.person(links.sign(recovery.PURPOSE, value)).id == owner.id
    old = URLSafeTimedSerializer(links._keys(), salt=recovery.PURPOSE, signer=Earlier)
    for wrong in (old.dumps(value), "forged", links.sign("verify address v1", value)):
        with pytest.raises(NotFound):
            recovery.person(str(wrong))


def test_for_an_unknown_address_nothing_is_mailed() -> None:
    recovery.ask("nobody@example.com")
    assert db.session.scalars(db.select(Job)).all() == []


def test_the_job_holds_no_address(owner: User) -> None:
    recovery.ask(owner.email)
    (row,) = db.session.scalars(db.select(Job)).all()
    assert job(row.id).payload == {"user_id": str(owner.id)}
