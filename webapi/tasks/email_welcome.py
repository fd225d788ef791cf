from __future__ import annotations

from webapi.queue import Retry, job
from webapi.services import accounts, recovery
from webapi.services.accounts import UserRef


@job("email.welcome", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_welcome(person: UserRef) -> None:
    """Welcome somebody who has just registered, and ask them to confirm their address."""
    accounts.send_welcome(person.user_id)


@job("email.verify", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_verify(person: UserRef) -> None:
    """Ask somebody again to confirm their address."""
    accounts.send_welcome(person.user_id, again=True)


@job("email.taken", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_taken(person: UserRef) -> None:
    """Tell somebody that a registration was tried with their address."""
    accounts.send_taken(person.user_id)


@job("email.reset", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_reset(person: UserRef) -> None:
    """Mail somebody the link by which they choose a new password."""
    recovery.send(person.user_id)
