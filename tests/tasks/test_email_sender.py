"""Asking whoever reads an address whether somebody may send from it."""

from __future__ import annotations

import re

import pytest

from tests.queue.ground import ground, owner
from tests.queue.rows import effects, job
from tests.services.conftest import mail_server
from tests.smtp_server import SmtpServer
from webapi.extensions import db
from webapi.models import Job, User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services.mail import senders

__all__ = ["ground", "mail_server", "owner"]


def only_job() -> Job:
    (row,) = db.session.query(Job).filter_by(kind="email.sender")
    return job(row.id)


def test_the_mail_says_who_asks_and_its_link_confirms_the_address(owner: User, mail_server: SmtpServer) -> None:
    sender_id = senders.add(owner, "Shop@Example.com", "The shop").id
    work(kind_named("email.sender"))
    (mail,) = mail_server.to("shop@example.com")
    text = mail.message.get_body(("plain",))
    assert text is not None
    said = " ".join(text.get_content().split())
    assert mail.message["Subject"] == "May Ada send mail from this address?"
    assert "Ada (ada@example.com) asked to send mail from shop@example.com" in said
    (token,) = re.findall(r"http://127\.0\.0\.1:5000/senders/confirm/([\w.-]+)", said)
    assert senders.confirm(token) == "shop@example.com"
    assert senders.envelope(owner.id, "shop@example.com").sender == "The shop <shop@example.com>"
    assert only_job().payload == {"sender_id": str(sender_id)}
    assert effects(only_job().id)["shop@example.com"].state == "done"


def test_nobody_is_asked_about_a_sender_that_was_removed(owner: User, mail_server: SmtpServer) -> None:
    senders.remove(owner, senders.add(owner, "shop@example.com").id)
    work(kind_named("email.sender"))
    assert (only_job().state, only_job().error_public) == ("failed", "The sender of this mail is not there any more.")
    assert mail_server.stored == []


@pytest.mark.parametrize("name", ["{{link}}", "<script>alert(1)</script>", "Ada\u202egro.live"])
def test_a_name_does_no_harm_in_it(owner: User, mail_server: SmtpServer, name: str) -> None:
    owner.name = name
    db.session.commit()
    senders.add(owner, "shop@example.com")
    work(kind_named("email.sender"))
    (mail,) = mail_server.stored
    html = mail.message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert html.get_content().count("/senders/confirm/") == 1
