"""What a person does to their own account: its name, its password, its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from webapi.errors import Conflict, Fault, Invalid, NotFound
from webapi.extensions import db
from webapi.models import (
    FINAL,
    ApiKey,
    Dataset,
    Job,
    Report,
    Schedule,
    Sender,
    State,
    Suppression,
    Template,
    Upload,
    User,
)
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.services import accounts, holders, links, passwords, sessions, tickets, trail
from webapi.services.accounts import UserRef
from webapi.services.mail import mailer

# What goes with an account, by the words of its page. Each row of these goes by its foreign key.
GOES: Mapping[str, Any] = {
    "jobs, with their files and receipts": Job.owner_id,
    "schedules": Schedule.owner_id,
    "reports": Report.owner_id,
    "datasets": Dataset.owner_id,
    "uploaded files": Upload.owner_id,
    "mail templates": Template.owner_id,
    "senders": Sender.owner_id,
    "addresses never to be mailed": Suppression.owner_id,
    "API keys": ApiKey.owner_id,
}


def rename(user: User, name: str) -> None:
    with writing():
        user.name = name
        trail.note("account.renamed", user_id=user.id)


def check_password(user: User, password: str, pointer: str = "/password") -> None:
    """Raises Invalid when somebody who is signed in does not know their password."""
    if not accounts.is_password(user, password):
        raise Invalid(faults=(Fault(pointer, "This is not your password."),))


def change_password(user: User, current: str, new: str) -> None:
    """End every session, too, and each link that waits to change the address; a notice is mailed.

    Raises Invalid when `current` is not the password, and Conflict when it was changed meanwhile.
    """
    before, user_id = user.password_hash, user.id
    check_password(user, current, "/current")
    password_hash = passwords.hashed(new)
    with writing() as session:
        changed = session.execute(
            update(User).where(User.id == user_id, User.password_hash == before).values(password_hash=password_hash)
        )
        if changed.rowcount == 0:  # type: ignore[attr-defined]
            raise Conflict("The password was changed meanwhile.")
        sessions.end_all(session, user_id)
        tickets.withdraw(session, tickets.ADDRESS, user_id)
        trail.note("password.changed", user_id=user_id)
        submit("email.password_changed", UserRef(user_id=user_id), owner_id=user_id)


def send_password_changed(user_id: UUID) -> None:
    """The mail of `email.password_changed`."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("The person of this mail is not there any more.")
    mailer.send_own("password_changed", user.email, name=user.name, link=links.public("/reset"))


def what_goes(user: User) -> dict[str, int]:
    """How much of each goes with the account; what there is none of is left out."""
    counts = {
        words: db.session.scalar(select(func.count()).where(column == user.id)) or 0 for words, column in GOES.items()
    }
    return {words: count for words, count in counts.items() if count}


def delete_account(user: User) -> None:
    """Delete a person and all that is theirs; the trail keeps that it was done, under an id.

    What waits is never begun. While an attempt is under way it is refused: its receipt would have no place, and
    nobody could say afterwards whether a mail went out. Raises Conflict. The caller has checked the password.
    """
    user_id = user.id
    with writing() as session:
        # The jobs before their owner, as whoever ends one of them; the schedules too, as whoever fires one.
        session.execute(select(Job.id).where(Job.owner_id == user_id, Job.state.not_in(FINAL)).with_for_update())
        session.execute(select(Schedule.id).where(Schedule.owner_id == user_id).with_for_update(key_share=True))
        session.execute(select(User.id).where(User.id == user_id).with_for_update())
        if session.scalar(select(func.count()).where(Job.owner_id == user_id, Job.state == State.RUNNING)):
            raise Conflict("Some of your jobs are running. Cancel them or wait for their end, then delete the account.")
        trail.note("account.deleted", user_id=user_id)
        holders.forget()
        session.execute(delete(User).where(User.id == user_id).execution_options(synchronize_session=False))
