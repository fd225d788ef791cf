"""What somebody uses of what they may."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import func, select

from webapi.extensions import db
from webapi.models import Dataset, User
from webapi.queue import quotas, room
from webapi.services import jobs


@dataclass(frozen=True)
class Use:
    """One limit. `used` is None where it is counted by the minute, and told with each answer."""

    name: str
    title: str
    limit: int
    used: int | None = None
    unit: str = ""


def of(owner: User) -> list[Use]:
    """Every limit of an owner, with what they use of it now."""
    open_jobs, kept = db.session.execute(select(User.open_jobs, User.storage_bytes).where(User.id == owner.id)).one()
    datasets = db.session.scalar(select(func.count()).where(Dataset.owner_id == owner.id)) or 0
    return [
        Use("open_jobs", "jobs that are not over", jobs.quota(), open_jobs),
        Use("storage_bytes", "storage", room.most(), kept, "bytes"),
        Use("datasets", "datasets", current_app.config["DATASETS_PER_OWNER"], datasets),
        Use("requests_per_minute", "requests a minute", current_app.config["REQUESTS_PER_MINUTE"]),
        Use("mails_per_day", "mails a day", quotas.mails_a_day(), quotas.mails_today(owner.id)),
        Use("mails_per_recipient_per_day", "mails to one address a day", current_app.config["MAIL_PER_RECIPIENT"]),
    ]
