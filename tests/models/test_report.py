"""The database itself remembers one newest build of a fingerprint, and forgets it with its job."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from tests.queue.acting import Errands
from tests.queue.ground import ground, owner
from tests.queue.rows import accept
from webapi.extensions import db
from webapi.models import Job, ReportBuild
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")


def put(fingerprint: str) -> Any:
    job_id = accept("errand.hold", Errands(acts=[]))
    with writing() as session:
        session.execute(insert(ReportBuild).values(job_id=job_id, fingerprint=fingerprint))
    return job_id


def test_a_fingerprint_has_one_newest_build() -> None:
    put("a")
    put("b")
    with pytest.raises(IntegrityError):
        put("a")


def test_a_build_goes_with_its_job() -> None:
    job_id = put("a")
    with writing() as session:
        session.execute(delete(Job).where(Job.id == job_id))
    assert db.session.scalar(select(func.count()).select_from(ReportBuild)) == 0
