"""Whether a mailing fits into what its owner may send today. All its mails count when it begins, its parts do not."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.errors import QuotaReached
from webapi.models import Job, Mailing
from webapi.queue import quotas
from webapi.queue.quotas import Wanted
from webapi.services import jobs


def take(session: Session, mailing: Mailing, mails: int) -> None:
    """Count so many mails in the transaction that begins to send: of two that begin at once, one sees the other.

    Raises QuotaReached, with what is left.
    """
    if session.scalar(select(Job.sandbox).where(Job.id == mailing.id)):
        return
    try:
        quotas.count_in(session, mailing.owner_id, Wanted(0, mails, jobs.quota()))
    except QuotaReached:
        most = quotas.mails_a_day()
        left = max(0, most - quotas.mails_today(mailing.owner_id))
        sentence = f"These are {mails} mails, and of your {most} a day {left} are left. Try again tomorrow."
        raise QuotaReached(sentence) from None
