"""The database itself refuses an effect that is planned twice or is in no known state, and a file named twice."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from tests.queue.acting import Errands
from tests.queue.ground import ground, owner
from tests.queue.rows import OWNER, accept, add_owner
from webapi.extensions import db
from webapi.models import Artifact, Effect, Job, JobEvent, User
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture
def job_id(owner: object) -> UUID:
    return accept("errand.hold", Errands(acts=["one"]))


def put(table: Any, **values: Any) -> None:
    with writing() as session:
        session.execute(insert(table).values(id=uuid4(), **values))


def effect(job_id: UUID, **values: Any) -> dict[str, Any]:
    return {"job_id": job_id, "effect_key": "two", "kind": "mail", "state": "pending", **values}


@pytest.mark.parametrize("values", [{"effect_key": "one"}, {"state": "sent"}, {"state": "PENDING"}, {"state": None}])
def test_a_second_or_a_strange_effect_is_refused(job_id: UUID, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        put(Effect, **effect(job_id, **values))


def test_an_effect_of_no_job_is_refused() -> None:
    with pytest.raises(IntegrityError):
        put(Effect, **effect(uuid4()))


def test_a_job_has_one_file_of_a_name(job_id: UUID) -> None:
    file = {"job_id": job_id, "attempt": 1, "name": "a.txt", "sha256": "0" * 64, "size": 1, "media_type": "text/plain"}
    put(Artifact, **file)
    with pytest.raises(IntegrityError):
        put(Artifact, **file)


def test_an_address_has_one_person() -> None:
    with pytest.raises(IntegrityError):
        add_owner(uuid4())


def test_with_a_person_goes_all_that_was_theirs(job_id: UUID) -> None:
    with writing() as session:
        session.delete(session.get_one(User, OWNER))
    left = [db.session.scalar(select(func.count()).select_from(table)) for table in (Job, JobEvent, Effect)]
    assert left == [0, 0, 0]
