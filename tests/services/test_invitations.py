"""Invitations: one account for one address, with the role that was given."""

from __future__ import annotations

import re

import pytest

from tests.smtp_server import SmtpServer
from webapi.errors import Conflict, NotFound
from webapi.models import Role, User
from webapi.services import accounts, invitations, tickets, trail

pytestmark = [
    pytest.mark.usefixtures("owner"),
    pytest.mark.parametrize("ground", ["sqlite"], indirect=True, scope="module"),
]
PASSWORD = "a long enough one"


def test_the_invited_have_the_role_and_a_confirmed_address_and_come_in_once() -> None:
    token = tickets.token(invitations.invite("Grace@example.com", Role.VIEWER, trail.COMMAND_LINE))
    grace = invitations.accept(token, "Grace", PASSWORD)
    assert (grace.email, grace.role, grace.verified_at is not None) == ("grace@example.com", Role.VIEWER, True)
    with pytest.raises(NotFound):
        invitations.accept(token, "Grace", PASSWORD)
    done = [(line.what, line.who) for line in reversed(trail.latest(5))]
    assert done == [("invitation.made", "command line"), ("account.created", "invitation")]


def test_an_address_with_an_account_is_not_invited_and_cannot_be_taken_over(owner: User) -> None:
    with pytest.raises(Conflict):
        invitations.invite("ADA@example.com", Role.ADMINISTRATOR, trail.COMMAND_LINE)
    ticket = invitations.invite("grace@example.com", Role.ADMINISTRATOR, trail.COMMAND_LINE)
    accounts.create("grace@example.com", "Grace", PASSWORD)
    with pytest.raises(Conflict):
        invitations.accept(tickets.token(ticket), "Mallory", "another password")
    assert accounts.authenticate("grace@example.com", "another password") is None


def test_the_mail_holds_the_link(mail_server: SmtpServer) -> None:
    ticket = invitations.invite("grace@example.com", Role.USER, trail.COMMAND_LINE)
    invitations.send(ticket)
    (mail,) = mail_server.to("grace@example.com")
    body = mail.message.get_body(("html",))
    assert body is not None
    assert re.findall(r'href="([^"]+/invitation/[^"]+)"', body.get_content()) == [invitations.link(ticket)]
