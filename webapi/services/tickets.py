"""Tickets: what the links in our mails may do once, until a moment that was fixed when they were made.

A link holds the signed id of its row. The row alone opens nothing, and neither does a link whose row was used.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Ticket
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.services import links

INVITATION, ADDRESS = "invitation", "address"
KEPT = 90 * 86400.0  # seconds after its end for which a ticket is kept
GONE = "This link is not valid any more: it was used, is too old, or another one took its place."


def issue(purpose: str, email: str, seconds: float, **more: object) -> Ticket:
    """A new ticket for `email` that is good for `seconds`. `more` are further columns."""
    ticket = Ticket(id=uuid7(), purpose=purpose, email=email.lower(), expires_at=after(seconds), **more)
    with writing() as session:
        old = delete(Ticket).where(Ticket.expires_at < after(-KEPT))
        session.execute(old.execution_options(synchronize_session=False))
        session.add(ticket)
    return ticket


def token(ticket: Ticket) -> str:
    """For the path of a link."""
    return links.sign_for_ever(_salt(ticket.purpose), str(ticket.id))


def find(purpose: str, given: str) -> Ticket:
    """The ticket of a link. Raises NotFound for one that is forged, old, used or withdrawn."""
    ticket_id = UUID(links.read_for_ever(_salt(purpose), given))
    good = (Ticket.purpose == purpose, Ticket.used_at.is_(None), Ticket.expires_at > now())
    ticket: Ticket | None = db.session.scalar(select(Ticket).where(Ticket.id == ticket_id, *good))
    if ticket is None:
        raise NotFound(GONE)
    return ticket


def punch(session: Session, ticket: Ticket) -> None:
    """Use a ticket up, in the transaction of what it is for. Of two who try, the second gets NotFound."""
    mine = update(Ticket).where(Ticket.id == ticket.id, Ticket.used_at.is_(None), Ticket.expires_at > now())
    used = session.execute(mine.values(used_at=now()).execution_options(synchronize_session=False))
    if used.rowcount == 0:  # type: ignore[attr-defined]
        raise NotFound(GONE)


def withdraw(session: Session, purpose: str, user_id: UUID) -> None:
    """Make this person's unused tickets worthless."""
    unused = update(Ticket).where(Ticket.user_id == user_id, Ticket.purpose == purpose, Ticket.used_at.is_(None))
    session.execute(unused.values(used_at=now()).execution_options(synchronize_session=False))


def _salt(purpose: str) -> str:
    return f"ticket {purpose} v1"
