"""Workers live, fall silent, and are gone; what they hold is shown beside them."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from tests.kinds.faulty import Note
from tests.queue.rows import accept, change
from tests.services.system import crowd
from webapi.extensions import db
from webapi.models.columns import now
from webapi.queue import kind_named
from webapi.queue.claim import claim
from webapi.services.system import backlog, crew
from webapi.services.system.crew import Member

pytestmark = pytest.mark.usefixtures("owner")


def members() -> list[Member]:
    db.session.rollback()
    clock: datetime = db.session.execute(select(now())).scalar_one()
    return crew.members(clock, backlog.running())


@pytest.mark.parametrize(("quiet", "life"), [(1, "lives"), (14, "lives"), (20, "silent"), (70, "gone")])
def test_how_long_a_worker_has_said_nothing_tells_how_it_is(quiet: float, life: str) -> None:
    crowd.worker(quiet=quiet)
    (member,) = members()
    assert (member.life, member.name) == (life, "there:7")
    assert member.quiet == pytest.approx(quiet, abs=2)


def test_a_worker_shows_what_it_runs_and_an_attempt_of_the_dead_is_an_orphan() -> None:
    worker = crowd.worker()
    for owner in (f"{worker}:100", "nobody:1"):
        job_id = accept("test.note", Note())
        assert claim(kind_named("test.note")) is not None
        change(job_id, lease_owner=owner)
    (member,) = members()
    assert [each.lease_owner for each in member.attempts] == [f"{worker}:100"]
    assert [each.lease_owner for each in crew.orphans([member], backlog.running())] == ["nobody:1"]


def test_another_version_is_told() -> None:
    crowd.worker(version="0.0.1")
    crowd.worker()
    assert sorted(each.outdated for each in members()) == [False, True]


def test_the_living_are_those_that_count() -> None:
    crowd.worker(quiet=20)
    crowd.worker(quiet=90)
    assert [each.life for each in crew.living(members())] == ["silent"]


def test_what_is_judged_is_judged_by_all_of_them() -> None:
    for _ in range(crew.SHOWN):
        crowd.worker("default")
    busy = crowd.worker("email", quiet=10)
    job_id = accept("test.note", Note())
    assert claim(kind_named("test.note")) is not None
    change(job_id, lease_owner=f"{busy}:100")
    found = members()
    assert {name for each in crew.living(found) for name in each.row.queues} == {"default", "email"}
    assert crew.orphans(found, backlog.running()) == []
