"""People: registration, sign-in, confirmation of the address."""

from __future__ import annotations

from uuid import UUID

from flask import current_app
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from webapi.errors import Forbidden, NotFound
from webapi.extensions import db
from webapi.models import Role, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.services import holders, links, passwords, trail
from webapi.services.mail import mailer

VERIFY = "verify address v1"
VERIFY_MAX_AGE = 3 * 24 * 3600  # seconds that a confirmation link works


class UserRef(BaseModel):
    """Which person a mail of ours is for; their address stays in SQL."""

    user_id: UUID


def register(email: str, name: str, password: str) -> None:
    """Create a person and submit their welcome mail, in one transaction.

    For an address that is taken nothing is created, and its owner is told. The caller sees no
    difference: who is registered here is nobody else's business. Raises Forbidden when
    registration is closed.
    """
    if current_app.config["REGISTRATION"] != "open":
        raise Forbidden("Registration is closed here. Ask whoever runs this server for an account.")
    try:
        create(email, name, password)
    except IntegrityError:
        owner = by_email(email)
        if owner is not None:
            submit("email.taken", UserRef(user_id=owner.id), owner_id=owner.id)


def create(
    email: str, name: str, password: str, *, verified: bool = False, role: Role = Role.USER, actor: str = trail.VISITOR
) -> User:
    """Create a person; unless `verified`, their welcome mail asks them to confirm the address.

    `actor` is how the trail names whoever does it. Raises sqlalchemy.exc.IntegrityError when the address is taken.
    """
    password_hash = passwords.hashed(password)
    with writing() as session:
        user = User(id=uuid7(), email=email.lower(), name=name, password_hash=password_hash, role=role)
        if verified:
            user.verified_at = now()
        session.add(user)
        session.flush()
        trail.note("account.created", user_id=user.id, actor=actor, role=role.value)
        if not verified:
            submit("email.welcome", UserRef(user_id=user.id), owner_id=user.id)
    return user


def authenticate(email: str, password: str) -> User | None:
    """The person with this address and password, or None; both answers take the same time."""
    user = by_email(email)
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not right:
        trail.count("sign_in.failed", user_id=user.id if user else None)
        return None
    return user


def is_password(user: User, password: str) -> bool:
    """Whether somebody who is signed in knows their password."""
    right = passwords.matches(user.password_hash, password)
    if not right:
        trail.count("sign_in.failed", user_id=user.id)
    return right


def set_role(user: User, role: Role, actor: str) -> None:
    """From their next request on; from a key within a second."""
    before = user.role
    with writing():
        user.role = role
        holders.forget()
        trail.note("role.changed", user_id=user.id, actor=actor, before=before, now=role.value)


def by_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == email.lower()))


def verify(token: str) -> User:
    """Confirm the address that a link was mailed to. Raises NotFound for a wrong or old link."""
    try:
        user_id, email = links.read(VERIFY, token, VERIFY_MAX_AGE)
    except NotFound:
        raise NotFound("This link is not valid any more. Sign in to have another one sent.") from None
    with writing() as session:
        user = session.get(User, UUID(user_id))
        if user is None or user.email != email:
            raise NotFound("This link is for an account that is not there any more.")
        if user.verified_at is None:
            user.verified_at = now()
        holders.forget()
    return user


def resend_welcome(user: User) -> None:
    """Send the confirmation link again, to somebody who needs it."""
    if user.verified_at is None:
        submit("email.verify", UserRef(user_id=user.id), owner_id=user.id)


def send_welcome(user_id: UUID, *, again: bool = False) -> None:
    """The mail of `email.welcome`, or `again` that of `email.verify`, with the link that confirms the address."""
    user = _person(user_id)
    link = links.public(f"/verify/{links.sign(VERIFY, [str(user.id), user.email])}")
    mailer.send_own("verify" if again else "welcome", user.email, name=user.name, link=link)


def send_taken(user_id: UUID) -> None:
    """The mail of `email.taken`: somebody tried to register with this person's address."""
    user = _person(user_id)
    mailer.send_own("taken", user.email, name=user.name, link=links.public("/login"))


def _person(user_id: UUID) -> User:
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("The person of this mail is not there any more.")
    return user
