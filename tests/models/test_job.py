"""The database itself refuses what the protocol forbids."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from tests.conftest import Person
from tests.kinds.faulty import Note
from webapi.models import Job, JobEvent
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import submit

pytestmark = pytest.mark.usefixtures("context")

FORBIDDEN: list[dict[str, Any]] = [
    {"state": "asleep"},
    {"state": "running"},
    {"lease_until": after(60)},
    {"state": "succeeded"},
    {"finished_at": now()},
    {"progress": 101},
    {"progress": -1},
]


@pytest.mark.parametrize("values", FORBIDDEN, ids=lambda values: "-".join(values))
def test_a_job_cannot_be_in_two_minds(ada: Person, values: dict[str, Any]) -> None:
    submit("test.note", Note(), owner_id=ada.id)
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(update(Job).values(**values))


@pytest.mark.parametrize(("epoch", "attempt", "state"), [(1, 1, "running"), (0, 2, "failed")])
def test_an_attempt_has_one_owner_and_an_epoch_one_end(ada: Person, epoch: int, attempt: int, state: str) -> None:
    job_id = submit("test.note", Note(), owner_id=ada.id).id
    event = {"job_id": job_id, "at": now(), "from_state": None, "actor": "x", "reason": "x", "refines": False}
    with writing() as session:
        session.execute(delete(JobEvent))
        first = {"epoch": 0, "attempt": 1, "to_state": "running" if state == "running" else "succeeded"}
        session.execute(insert(JobEvent).values(seq=1, **first, **event))
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(insert(JobEvent).values(seq=2, epoch=epoch, attempt=attempt, to_state=state, **event))
