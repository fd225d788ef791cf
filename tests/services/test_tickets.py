"""Tickets: a link works once, for a while, and the row alone makes none."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from webapi.errors import NotFound
from webapi.models import Ticket, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.services import links, tickets

pytestmark = pytest.mark.usefixtures("owner")


def issue(**more: object) -> Ticket:
    return tickets.issue(tickets.INVITATION, "Grace@example.com", 60.0, **more)


def use(ticket: Ticket) -> None:
    with writing() as session:
        tickets.punch(session, ticket)


def test_a_link_finds_its_ticket_until_it_is_used() -> None:
    ticket = issue()
    token = tickets.token(ticket)
    found = tickets.find(tickets.INVITATION, token)
    assert (found.id, found.email) == (ticket.id, "grace@example.com")
    use(found)
    with pytest.raises(NotFound, match="it was used"):
        tickets.find(tickets.INVITATION, token)


def test_of_two_who_use_it_the_second_is_refused() -> None:
    ticket = issue()
    use(ticket)
    with pytest.raises(NotFound):
        use(ticket)


def test_a_ticket_whose_time_is_over_is_worth_nothing() -> None:
    ticket = issue()
    token = tickets.token(ticket)
    with writing() as session:
        session.execute(update(Ticket).values(expires_at=after(-1.0)))
    for attempt in (lambda: tickets.find(tickets.INVITATION, token), lambda: use(ticket)):
        with pytest.raises(NotFound):
            attempt()


def test_withdrawn_it_is_worth_nothing(owner: User) -> None:
    ticket = issue(user_id=owner.id)
    with writing() as session:
        tickets.withdraw(session, tickets.INVITATION, owner.id)
    with pytest.raises(NotFound):
        tickets.find(tickets.INVITATION, tickets.token(ticket))


def forged(ticket_id: UUID) -> list[str]:
    """What somebody could try who reads the whole table."""
    other = links.sign_for_ever("ticket address v1", str(ticket_id))
    return ["", "x", str(ticket_id), f"{ticket_id}.x", other, links.sign("ticket invitation v1", str(ticket_id))]


def test_whoever_reads_the_table_can_make_no_link() -> None:
    ticket = issue()
    for token in forged(ticket.id):
        with pytest.raises(NotFound):
            tickets.find(tickets.INVITATION, token)


def test_a_signed_link_to_no_ticket_is_not_found() -> None:
    with pytest.raises(NotFound):
        tickets.find(tickets.INVITATION, links.sign_for_ever("ticket invitation v1", str(uuid4())))


def test_old_ones_are_forgotten_with_the_next() -> None:
    old = issue().id
    with writing() as session:
        session.execute(update(Ticket).values(expires_at=after(-tickets.KEPT - 60)))
    new = issue().id
    with writing() as session:
        assert (session.get(Ticket, old), session.get(Ticket, new) is None) == (None, False)
