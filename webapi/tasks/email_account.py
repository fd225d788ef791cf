from __future__ import annotations

from webapi.queue import Retry, job
from webapi.services import new_address, own_account
from webapi.services.accounts import UserRef
from webapi.services.new_address import TicketRef


@job("email.new_address", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_new_address(asked: TicketRef) -> None:
    """Mail somebody's new address the link that confirms it."""
    new_address.send_link(asked.ticket_id)


@job("email.address_asked", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_address_asked(asked: TicketRef) -> None:
    """Tell somebody's address of before that another one was asked for."""
    new_address.send_notice(asked.ticket_id)


@job("email.password_changed", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_password_changed(person: UserRef) -> None:
    """Tell somebody that their password was changed."""
    own_account.send_password_changed(person.user_id)
