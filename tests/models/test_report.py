"""The database itself lets one build of a fingerprint run at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from tests.queue.acting import Errands
from tests.queue.ground import ground, owner
from tests.queue.rows import accept
from webapi.models import ReportBuild
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")


def put(fingerprint: str, building: bool) -> None:
    job_id = accept("errand.hold", Errands(acts=[]))
    with writing() as session:
        session.execute(insert(ReportBuild).values(job_id=job_id, fingerprint=fingerprint, building=building))


def test_one_build_of_a_fingerprint_runs_at_a_time() -> None:
    put("a", True)
    with pytest.raises(IntegrityError):
        put("a", True)
    put("a", False)
    put("b", True)


def test_the_next_may_begin_when_it_is_over() -> None:
    put("a", True)
    with writing() as session:
        session.execute(update(ReportBuild).values(building=False))
    put("a", True)
