"""How many jobs one owner may have open: counted by the ledger, checked in the accepting transaction."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from flask import Flask

from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import OWNER, accept, change
from webapi.errors import QuotaReached
from webapi.extensions import db
from webapi.models import User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import control, finish
from webapi.queue.audit import audit
from webapi.queue.sweep import expire, sweep

pytestmark = pytest.mark.usefixtures("owner")
ERRANDS = Errands(acts=[])


def open_jobs() -> int:
    db.session.rollback()
    found = db.session.get_one(User, OWNER, populate_existing=True).open_jobs
    assert [each.sentence for each in audit(files=False) if each.offenders] == []
    return found


def test_a_job_more_than_the_quota_is_refused_and_leaves_nothing(owner: object) -> None:
    accept("errand.hold", ERRANDS, quota=2)
    accept("errand.hold", ERRANDS, quota=2)
    with pytest.raises(QuotaReached, match="2 jobs that are not over"):
        accept("errand.hold", ERRANDS, quota=2)
    assert open_jobs() == 2


def test_fifty_at_once_at_quota_minus_one_are_one(ground: Flask) -> None:
    accept("errand.hold", ERRANDS)
    db.session.remove()
    barrier, answers = Barrier(50), []

    def run() -> None:
        with ground.app_context():
            barrier.wait()
            try:
                accept("errand.hold", ERRANDS, quota=2)
                answers.append("accepted")
            except QuotaReached:
                answers.append("refused")
            db.session.remove()

    threads = [Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers.count("accepted"), answers.count("refused"), open_jobs()) == (1, 49, 2)


def test_a_job_that_is_over_makes_room_whatever_ended_it(ground: Flask) -> None:
    accept("errand.hold", ERRANDS)
    with attempt_at() as attempt:
        finish.succeeded(attempt, None)
    assert open_jobs() == 0
    cancelled = accept("errand.hold", ERRANDS)
    with writing() as session:
        control.cancel(session, cancelled, "ada")
    assert open_jobs() == 0
    change(accept("errand.hold", ERRANDS), deadline_at=after(-1))
    expire()
    assert open_jobs() == 0
    crashed = accept("errand.once", ERRANDS)
    with attempt_at("errand.once"):
        change(crashed, lease_until=after(-600))
    sweep(ground)
    assert open_jobs() == 0
    with writing() as session:
        control.replay(session, crashed, "ada")
    assert open_jobs() == 1
