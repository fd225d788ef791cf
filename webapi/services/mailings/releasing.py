"""Letting held mails of a mailing go, several at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Effect, Job, Mailing, User
from webapi.models.transaction import writing
from webapi.services import jobs
from webapi.services.mailings.steering import check_not_cancelled


def release(owner: User, mailing: Mailing, effect_ids: Collection[UUID]) -> None:
    """Let held mails go, whichever parts they are in: all of them, or none.

    Raises NotFound for a mail of another mailing, Conflict while a part of them is not over or when the mailing is
    cancelled, and Invalid for a mail that is not held.
    """
    check_not_cancelled(mailing)
    query = select(Effect.id, Effect.job_id).join(Job, Job.id == Effect.job_id)
    parts: dict[UUID, list[UUID]] = defaultdict(list)
    for effect_id, job_id in db.session.execute(
        query.where(Effect.id.in_(effect_ids), Job.parent_id == mailing.id).order_by(Effect.job_id, Effect.id)
    ):
        parts[job_id].append(effect_id)
    if sum(len(ids) for ids in parts.values()) < len(effect_ids):
        raise NotFound("Not all of these are mails of this mailing.")
    with writing():
        for job_id, ids in parts.items():
            jobs.release(owner, job_id, ids)
