"""The time zone in which a person reads times."""

from __future__ import annotations

from sqlalchemy import update

from webapi.errors import Fault, Invalid
from webapi.extensions import db
from webapi.models import User
from webapi.models.transaction import writing
from webapi.queue import cron


def names() -> list[str]:
    """The zones that a person may choose from, `UTC` first."""
    return cron.zones()


def choose(user: User, name: str) -> None:
    """From now on times are shown to them in that zone. Raises Invalid when there is no such zone."""
    try:
        cron.zone(name)
    except ValueError as error:
        sentence = str(error)
        raise Invalid(faults=(Fault("/time_zone", f"{sentence[:1].upper()}{sentence[1:]}."),)) from None
    with writing() as session:
        session.execute(
            update(User).where(User.id == user.id).values(time_zone=name).execution_options(synchronize_session=False)
        )
    db.session.expire(user, ["time_zone"])
