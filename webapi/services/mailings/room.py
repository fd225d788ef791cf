"""Whether a mailing fits into what its owner may send today. Its parts are counted as they are made."""

from __future__ import annotations

from sqlalchemy import select

from webapi.errors import QuotaReached
from webapi.extensions import db
from webapi.models import Job, Mailing
from webapi.queue import quotas


def check(mailing: Mailing, mails: int) -> None:
    """Raises QuotaReached, with what is left."""
    most = quotas.mails_a_day()
    left = max(0, most - quotas.mails_today(mailing.owner_id))
    if mails > left and not db.session.scalar(select(Job.sandbox).where(Job.id == mailing.id)):
        raise QuotaReached(f"These are {mails} mails, and of your {most} a day {left} are left. Try again tomorrow.")
