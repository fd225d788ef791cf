"""A new password for somebody who forgot theirs, by a link to their address."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import update

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.services import accounts, links, passwords, sessions, tickets, trail
from webapi.services.accounts import UserRef
from webapi.services.mail import mailer

PURPOSE = "reset password v1"
MAX_AGE = 30 * 60  # seconds that a link works


def ask(email: str) -> None:
    """Mail a link, if there is such a person. The caller sees no difference, and it takes as long."""
    passwords.matches(None, "")
    user = accounts.by_email(email)
    if user is not None:
        submit("email.reset", UserRef(user_id=user.id), owner_id=user.id)


def send(user_id: UUID) -> None:
    """The mail of `email.reset`."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("The person of this mail is not there any more.")
    link = links.public(f"/reset/{token(user)}")
    mailer.send_own("reset", user.email, name=user.name, link=link)


def token(user: User) -> str:
    """For the path of a link."""
    return links.sign(PURPOSE, [str(user.id), _state_of(user)])


def person(token: str) -> User:
    """Whose link this is. Raises NotFound for a wrong, an old and a used one."""
    user_id, state = links.read(PURPOSE, token, MAX_AGE)
    user = db.session.get(User, UUID(user_id))
    if user is None or _state_of(user) != state:
        raise NotFound("This link is not valid any more. Ask for another one.")
    return user


def reset(token: str, password: str) -> None:
    """Set the password and end all sessions. Whoever has the link reads the address, which confirms it.

    Raises NotFound; the link works once, because it names the password that it replaces.
    """
    user = person(token)
    before = user.password_hash
    with writing() as session:
        changed = session.execute(
            update(User)
            .where(User.id == user.id, User.password_hash == before)
            .values(password_hash=passwords.hashed(password), verified_at=user.verified_at or now())
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound("This link was used meanwhile.")
        tickets.withdraw(session, tickets.ADDRESS, user.id)
        sessions.end_all(session, user.id)
        trail.note("password.reset", user_id=user.id, actor=trail.VISITOR)
        submit("email.password_changed", UserRef(user_id=user.id), owner_id=user.id)


def _state_of(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:32]
