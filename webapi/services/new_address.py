"""Another address for an account: it counts once somebody who reads it has opened the link that was mailed there.

Who asks is told the same whether the address is somebody's already, and it takes as long: the mail decides what it
says when it is sent, to whoever reads that address.
"""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from webapi.errors import Conflict, NotFound
from webapi.extensions import db
from webapi.models import Ticket, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.services import accounts, links, tickets, trail
from webapi.services.mail import mailer

MAX_AGE = 86400.0  # seconds that a link works


class TicketRef(BaseModel):
    """Which ticket a mail of ours is about; its addresses stay in its row."""

    ticket_id: UUID


def ask(user: User, email: str) -> None:
    """Mail a link to the new address and a notice to the old one. What was asked before counts no more.

    The caller has checked the password.
    """
    with writing() as session:
        tickets.withdraw(session, tickets.ADDRESS, user.id)
        ticket = tickets.issue(tickets.ADDRESS, email, MAX_AGE, user_id=user.id, email_before=user.email)
        session.flush()
        trail.note("address.asked", user_id=user.id)
        for kind in ("email.new_address", "email.address_asked"):
            submit(kind, TicketRef(ticket_id=ticket.id), owner_id=user.id)


def asked(token: str) -> Ticket:
    """Raises NotFound for a link that is good no more."""
    return tickets.find(tickets.ADDRESS, token)


def confirm(token: str) -> str:
    """Change the address, once. Returns it. Raises NotFound, and Conflict when it is somebody else's by now."""
    ticket = asked(token)
    user_id, email, before = ticket.user_id, ticket.email, ticket.email_before
    try:
        with writing() as session:
            tickets.punch(session, ticket)
            mine = update(User).where(User.id == user_id, User.email == before)
            changed = session.execute(mine.values(email=email, verified_at=now()))
            if changed.rowcount == 0:  # type: ignore[attr-defined]
                raise NotFound(tickets.GONE)
            trail.note("address.changed", user_id=user_id)
    except IntegrityError:
        raise Conflict("There is an account for this address already.") from None
    return email


def send_link(ticket_id: UUID) -> None:
    """The mail of `email.new_address`. The owner of an address that is taken is told so instead."""
    ticket, user = _of(ticket_id)
    owner = accounts.by_email(ticket.email)
    if owner is not None:
        mailer.send_own("address_taken", ticket.email, name=owner.name)
        return
    link = links.public(f"/account/address/{tickets.token(ticket)}")
    mailer.send_own("new_address", ticket.email, name=user.name, before=ticket.email_before or "", link=link)


def send_notice(ticket_id: UUID) -> None:
    """The mail of `email.address_asked`, to the address of before: what to do if it was somebody else."""
    ticket, user = _of(ticket_id)
    mailer.send_own(
        "address_asked", ticket.email_before or user.email, name=user.name, new=ticket.email,
        link=links.public("/reset"),
    )  # fmt: skip


def _of(ticket_id: UUID) -> tuple[Ticket, User]:
    ticket = db.session.get(Ticket, ticket_id)
    user = ticket and db.session.get(User, ticket.user_id)
    if ticket is None or user is None:
        raise NotFound("What this mail is about is not there any more.")
    return ticket, user
