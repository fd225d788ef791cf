"""The database itself refuses a second job for one fire time, and a catch-up that nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from tests.queue.acting import Errands
from tests.queue.ground import ground, owner
from tests.queue.rows import OWNER, accept, change, job
from webapi.models import Schedule
from webapi.models.columns import now
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def schedule(**values: Any) -> UUID:
    schedule_id = uuid4()
    fixed = {"owner_id": OWNER, "kind": "errand.hold", "payload": {}, "cron": "0 12 * * *", "timezone": "Europe/Zurich"}
    with writing() as session:
        session.execute(insert(Schedule).values(id=schedule_id, next_at=now(), **fixed, **values))
    return schedule_id


def test_one_fire_time_of_a_schedule_has_one_job() -> None:
    schedule_id = schedule()
    first, second = (accept("errand.hold", Errands()) for _ in range(2))
    change(first, schedule_id=schedule_id, scheduled_for=NOON)
    with pytest.raises(IntegrityError):
        change(second, schedule_id=schedule_id, scheduled_for=NOON)
    assert job(second).schedule_id is None


def test_jobs_that_nobody_scheduled_do_not_meet_there() -> None:
    for _ in range(2):
        change(accept("errand.hold", Errands()), schedule_id=None, scheduled_for=NOON)


def test_only_known_catchups_are_taken() -> None:
    for catchup in ("latest", "all", "none"):
        schedule(catchup=catchup)
    with pytest.raises(IntegrityError):
        schedule(catchup="sometimes")
