"""A form that is sent twice, by a double click or a reload, sets one schedule.

A job has an idempotency key for that. A schedule has its id, which is made of its owner's and of the number that the
form got when it was drawn: nobody chooses the id of another's.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError

from webapi.errors import NotFound
from webapi.models import Schedule, User
from webapi.queue import Kind, seals
from webapi.queue.idempotency import KeyReused
from webapi.services import schedules
from webapi.services.plans import Plan, plan_of


def schedule(owner: User, nonce: str | None, kind: Kind, payload: BaseModel, plan: Plan) -> Schedule:
    """A new schedule, or the one that the same form has set before.

    Raises KeyReused when the form was changed meanwhile, or the schedule, and what `schedules.create` raises.
    """
    if nonce is None:
        return schedules.create(owner, kind, payload, plan)
    schedule_id = uuid5(owner.id, nonce)
    row = _found(owner, schedule_id)
    if row is None:
        try:
            return schedules.create(owner, kind, payload, plan, id=schedule_id)
        except IntegrityError:  # the other click was first by a moment
            row = schedules.find(owner, schedule_id)
    if (row.kind, plan_of(row).model_dump()) != (kind.name, plan.model_dump()):
        raise KeyReused
    if seals.opened(kind, kind.upgraded(row.payload, row.payload_version), owner.id) != payload:
        raise KeyReused
    return row


def _found(owner: User, schedule_id: UUID) -> Schedule | None:
    try:
        return schedules.find(owner, schedule_id)
    except NotFound:
        return None
