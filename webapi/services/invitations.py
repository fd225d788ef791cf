"""Invitations: a link by which somebody makes their account, also where registration is closed."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from webapi.errors import Conflict
from webapi.models import Role, Ticket, User
from webapi.models.transaction import writing
from webapi.services import accounts, links, tickets, trail
from webapi.services.mail import mailer

MAX_AGE = 7 * 86400.0  # seconds that an invitation is good


def invite(email: str, role: Role, actor: str) -> Ticket:
    """An invitation, to be handed over by `link` or `send`. Raises Conflict when the address has an account."""
    if accounts.by_email(email) is not None:
        raise Conflict(f"{email} is already registered.")
    with writing():
        ticket = tickets.issue(tickets.INVITATION, email, MAX_AGE, role=role.value)
        trail.note("invitation.made", actor=actor, on_what=ticket.id, role=role.value)
    return ticket


def link(ticket: Ticket) -> str:
    return links.public(f"/invitation/{tickets.token(ticket)}")


def send(ticket: Ticket) -> None:
    """Mail the link, now and without a job: nobody owns it yet. Raises Transient when no server takes it."""
    mailer.send_own("invitation", ticket.email, link=link(ticket))


def invited(token: str) -> Ticket:
    """Raises NotFound for a link that is good no more."""
    return tickets.find(tickets.INVITATION, token)


def accept(token: str, name: str, password: str) -> User:
    """Make the account. Its address counts as confirmed, for the link was sent there.

    Raises NotFound for a link that is good no more, and Conflict when the address has an account by now.
    """
    ticket = invited(token)
    email, role = ticket.email, Role(ticket.role or Role.USER)
    try:
        with writing() as session:
            tickets.punch(session, ticket)
            return accounts.create(email, name, password, verified=True, role=role, actor="invitation")
    except IntegrityError:
        raise Conflict("There is an account for this address already. Sign in, or ask for a new password.") from None
