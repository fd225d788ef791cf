"""Retention deletes what is old and over, and never what somebody still needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from uuid_utils.compat import uuid7

from tests.kinds.faulty import Note
from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept, change, job
from webapi.extensions import db
from webapi.models import Artifact, AttemptLog, Effect, Job, JobEvent, State, TrailEntry, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, kind_named
from webapi.queue.audit import audit
from webapi.queue.run import work
from webapi.services import pruning, trail
from webapi.services.pruning import DAY

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture(autouse=True)
def days(ground: Flask) -> Iterator[None]:
    names = ("KEEP_JOBS_DAYS", "KEEP_FILES_DAYS", "KEEP_LOGS_DAYS", "KEEP_TRAIL_DAYS")
    before = {name: ground.config[name] for name in names}
    ground.config |= {"KEEP_JOBS_DAYS": 30, "KEEP_FILES_DAYS": 0, "KEEP_LOGS_DAYS": 10, "KEEP_TRAIL_DAYS": 60}
    yield
    ground.config |= before


def id_of(age: float) -> UUID:
    """An id as it was made that many days ago."""
    moment = datetime.now(UTC) - timedelta(days=age)
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (uuid7().int & ((1 << 80) - 1)))


def done(age: float, kind: str = "errand.hold", **options: object) -> UUID:
    """A job that came and ended that many days ago."""
    job_id = accept(kind, Errands() if kind.startswith("errand") else Note(), job_id=id_of(age), **options)
    work(kind_named(kind))
    change(job_id, finished_at=after(-age * DAY))
    return job_id


def left() -> set[UUID]:
    db.session.rollback()
    return set(db.session.scalars(select(Job.id)))


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_an_old_job_goes_with_all_that_is_its_own_and_a_young_one_stays() -> None:
    done(31)
    young = done(29)
    assert pruning.would_prune() == {"jobs": 1, "trail": 0}
    assert pruning.prune()["jobs"] == 1
    assert left() == {young}
    assert (count(Effect), set(db.session.scalars(select(JobEvent.job_id)))) == (2, {young})
    assert not [each for each in audit() if each.offenders]


@pytest.mark.parametrize(
    "values", [{"state": State.UNCERTAIN}, {"state": State.QUEUED, "finished_at": None}], ids=["uncertain", "open"]
)
def test_what_is_not_over_or_uncertain_never_goes(values: dict[str, object]) -> None:
    job_id = done(400)
    change(job_id, **values)
    assert pruning.prune()["jobs"] == 0
    assert left() == {job_id}


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
def test_jobs_are_accepted_and_worked_on_while_old_ones_are_deleted(ground: Flask) -> None:
    """SQLite has one writer; there a transaction of few jobs is all that others wait for."""
    ids = [done(31) for _ in range(3)]
    deleted, go_on = threading.Event(), threading.Event()

    def delete() -> None:
        with ground.app_context(), writing() as session:
            pruning._delete_jobs(session, ids, 30)
            deleted.set()
            go_on.wait(30)

    deleting = threading.Thread(target=delete)
    deleting.start()
    assert deleted.wait(30)
    job_id = accept("errand.hold", Errands())
    work(kind_named("errand.hold"))
    assert job(job_id).state == State.SUCCEEDED
    assert deleting.is_alive(), "they waited for the deletion"
    db.session.rollback()
    go_on.set()
    deleting.join()
    assert left() == {job_id}


def test_what_has_an_act_without_an_answer_never_goes() -> None:
    job_id = done(400)
    with writing() as session:
        session.execute(update(Effect).values(state="unknown"))
    pruning.prune()
    assert left() == {job_id}


def test_what_an_idempotency_key_still_answers_for_stays(ground: Flask) -> None:
    ground.config["KEEP_JOBS_DAYS"] = 1
    job_id = done(3, once=Once("POST /jobs", "the-key", "f"))
    pruning.prune()
    assert left() == {job_id}


def test_a_job_stays_as_long_as_what_followed_it() -> None:
    parent, young = done(100), done(5)
    change(young, parent_id=parent)
    assert pruning.prune()["jobs"] == 0
    change(young, finished_at=after(-31 * DAY))
    assert pruning.prune()["jobs"] == 1
    assert left() == {young}, "its own id is young"


def test_a_family_that_is_old_goes_in_one_run() -> None:
    parent, child = done(101), done(100)
    change(child, parent_id=parent)
    assert pruning.prune()["jobs"] == 2
    assert left() == set()


def test_the_bytes_of_its_files_are_its_owners_again(ground: Flask) -> None:
    job_id = done(31, kind="test.file")
    assert (count(Artifact), db.session.get_one(User, OWNER).storage_bytes) == (1, 5)
    pruning.prune()
    assert (count(Artifact), db.session.get_one(User, OWNER, populate_existing=True).storage_bytes) == (0, 0)
    assert job_id not in left()


def test_files_may_go_before_their_job(ground: Flask) -> None:
    ground.config |= {"KEEP_JOBS_DAYS": 0, "KEEP_FILES_DAYS": 7}
    job_id = done(8, kind="test.file")
    assert pruning.prune()["files"] == 0, "the file itself is young"
    with writing() as session:
        session.execute(update(Artifact).values(created_at=after(-8 * DAY)))
    assert pruning.prune()["files"] == 1
    assert left() == {job_id}
    assert not [each for each in audit() if each.offenders]


def test_logs_go_before_their_job_but_not_those_of_an_uncertain_one() -> None:
    old, uncertain = done(20), done(20)
    change(uncertain, state=State.UNCERTAIN)
    with writing() as session:
        rows = [
            {"job_id": each, "attempt": 7, "lines": [], "changed_at": after(-20 * DAY)} for each in (old, uncertain)
        ]
        for row in rows:
            session.execute(insert(AttemptLog).values(row))
    assert pruning.prune()["logs"] == 1
    assert uncertain in set(db.session.scalars(select(AttemptLog.job_id)))


def test_the_trail_is_kept_for_its_own_time_and_says_that_it_was_pruned() -> None:
    for age in (61, 59):
        with writing() as session:
            session.add(TrailEntry(id=id_of(age), actor="x", what="account.created", detail={}, count=1))
    assert pruning.prune()["trail"] == 1
    assert [line.what for line in trail.latest(10)] == ["jobs.pruned", "account.created"]


def test_nought_keeps_for_ever(ground: Flask) -> None:
    ground.config |= {"KEEP_JOBS_DAYS": 0, "KEEP_TRAIL_DAYS": 0, "KEEP_LOGS_DAYS": 0}
    job_id = done(5000)
    assert pruning.would_prune() == {"jobs": 0, "trail": 0}
    assert set(pruning.prune().values()) == {0}
    assert left() == {job_id}


def test_it_is_a_job_too() -> None:
    old = done(31)
    job_id = accept("system.prune", pruning.PruneOrder())
    work(kind_named("system.prune"))
    assert old not in left()
    result = db.session.get_one(Job, job_id).result
    assert result is not None
    assert result["jobs"] == 1
