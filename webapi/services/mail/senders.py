"""Senders: the addresses from which mail may come. Configured ones are everybody's; others are confirmed by a link."""

from __future__ import annotations

from collections.abc import Sequence
from email.headerregistry import Address as Named
from email.utils import parseaddr
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from webapi.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Sender, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.services import links
from webapi.services.addresses import one_line
from webapi.services.mail import mailer
from webapi.services.mail.message import Envelope
from webapi.services.mail.references import SenderRef
from webapi.services.remembering import remembered

PURPOSE = "sender address v1"
MOST = 50  # senders of one owner
MAX_AGE = 3 * 24 * 3600  # seconds that a confirmation link works


def configured() -> list[str]:
    """The senders that the configuration gives to everybody, the default first."""
    config = current_app.config
    return [config["MAIL_DEFAULT_SENDER"], *config["MAIL_SENDERS"]]


def of(owner_id: UUID) -> Sequence[Sender]:
    """The owner's own senders, confirmed or not."""
    return db.session.scalars(select(Sender).where(Sender.owner_id == owner_id).order_by(Sender.address)).all()


@remembered
def envelope(
    owner_id: UUID | None, address: str | None, reply_to: str | None = None, *, bulk: bool = False
) -> Envelope:
    """From whom a mail comes: the default without `address`. Raises Invalid for one that may not be used."""
    for each in configured():
        if address is None or parseaddr(each)[1].lower() == address.lower():
            return Envelope(each, reply_to, bulk)
    query = select(Sender).where(Sender.owner_id == owner_id, Sender.address == (address or "").lower())
    own = db.session.scalar(query)
    if own is None:
        raise Invalid(faults=(Fault("/sender", f"{address} is none of your senders. Add it first."),))
    if own.verified_at is None:
        raise Invalid(
            faults=(Fault("/sender", f"{address} is not confirmed yet: open the link that we mailed there."),)
        )
    local, _, domain = own.address.rpartition("@")
    return Envelope(str(Named(own.name, local, domain)), reply_to or own.reply_to, bulk)


def add(owner: User, address: str, name: str = "", reply_to: str | None = None) -> Sender:
    """A new sender; a mail to it asks whoever reads it for a confirmation.

    Raises Conflict when it is there or is everybody's, and for one too many; Forbidden before the owner's own
    address is confirmed: our mail would carry a stranger's words to another stranger; Invalid for a name of many
    lines.
    """
    try:
        one_line(name)
    except ValueError as error:
        raise Invalid(faults=(Fault("/name", f"{str(error)[:1].upper()}{str(error)[1:]}."),)) from None
    if owner.verified_at is None:
        raise Forbidden("Confirm your email address first: open the link in the mail that we sent you.")
    if address.lower() in {parseaddr(each)[1].lower() for each in configured()}:
        raise Conflict(f"{address} is everybody's sender already.")
    if len(of(owner.id)) >= MOST:
        raise Conflict(f"You have {MOST} senders, which is the limit. Remove one that you no longer need.")
    row = Sender(id=uuid7(), owner_id=owner.id, address=address.lower(), name=name, reply_to=reply_to)
    try:
        with writing() as session:
            session.add(row)
            session.flush()
            submit("email.sender", SenderRef(sender_id=row.id), owner_id=owner.id)
    except IntegrityError:
        raise Conflict(f"{address} is one of your senders already.") from None
    return row


def remove(owner: User, sender_id: UUID) -> None:
    """Raises NotFound for one that is not this owner's."""
    with writing() as session:
        gone = session.execute(delete(Sender).where(Sender.id == sender_id, Sender.owner_id == owner.id))
        if gone.rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound("There is no such sender.")


def asked(token: str) -> str:
    """The address that a link is about. Raises NotFound for a wrong or old link."""
    return str(links.read(PURPOSE, token, MAX_AGE)[1])


def confirm(token: str) -> str:
    """Take the word of whoever opened the link. Returns the address. Raises NotFound for a wrong or old link."""
    sender_id, address = links.read(PURPOSE, token, MAX_AGE)
    fits = (Sender.id == UUID(sender_id), Sender.address == address)
    with writing() as session:
        confirmed = session.execute(update(Sender).where(*fits).values(verified_at=now()))
        if confirmed.rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound("This sender is not there any more.")
    return str(address)


def token(sender: Sender) -> str:
    return links.sign(PURPOSE, [str(sender.id), sender.address])


def send_confirmation(sender_id: UUID) -> None:
    """The mail of `email.sender`: may its owner send from this address? Raises NotFound when it was removed."""
    sender = db.session.get(Sender, sender_id)
    owner = sender and db.session.get(User, sender.owner_id)
    if sender is None or owner is None:
        raise NotFound("The sender of this mail is not there any more.")
    link = links.public(f"/senders/confirm/{token(sender)}")
    mailer.send_own("sender", sender.address, name=owner.name, account=owner.email, address=sender.address, link=link)
