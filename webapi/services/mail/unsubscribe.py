"""No more mails, by one click (RFC 8058). The link names an effect, so that no address stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Effect, Job, User
from webapi.queue.acts import Act
from webapi.services import links
from webapi.services.mail import suppressions

PURPOSE = "unsubscribe v1"


@dataclass(frozen=True)
class Subscription:
    """Who asks for no more mails, and from whom."""

    address: str
    owner_id: UUID
    owner_name: str


def link(act: Act) -> str:
    """The address that stands in `List-Unsubscribe`."""
    return links.public(f"/unsubscribe/{links.sign_for_ever(PURPOSE, str(act.id))}")


def find(token: str) -> Subscription:
    """Whom a link is about. Raises NotFound for a forged one, and for a mail that is forgotten by now."""
    effect_id = UUID(links.read_for_ever(PURPOSE, token))
    query = select(Effect.effect_key, User.id, User.name).join(Job, Job.id == Effect.job_id)
    row = db.session.execute(query.join(User, User.id == Job.owner_id).where(Effect.id == effect_id)).first()
    if row is None:
        raise NotFound("This mail is not known here any more.")
    return Subscription(*row)


def end(token: str) -> Subscription:
    """Mail this address no more. Doing it again changes nothing. Raises NotFound."""
    found = find(token)
    suppressions.add(found.owner_id, found.address, "unsubscribe", "by the link in a mail")
    return found
