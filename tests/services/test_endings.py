"""Waiting for the end of a job: no connection held, one thread for all, and only so many at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from flask import Flask
from sqlalchemy import update

from tests.conftest import Person
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.services import jobs
from webapi.services.endings import Endings
from webapi.tasks.data_process import Data


def accepted(app: Flask, ada: Person) -> UUID:
    with app.app_context():
        found: UUID = jobs.submit(ada.row, kind_named("data.process"), Data(data=[1])).id
        return found


def end(app: Flask, job_id: UUID) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Job).where(Job.id == job_id).values(state=State.CANCELLED, finished_at=now()))


def wait(app: Flask, endings: Endings, job_id: UUID, seconds: float) -> tuple[bool, float]:
    with app.app_context():
        began = time.monotonic()
        return endings.wait(job_id, seconds), time.monotonic() - began


def watchers() -> int:
    return sum(each.name == "endings" for each in threading.enumerate())


def test_whoever_waits_is_woken_by_the_end_and_one_thread_looks_for_all(app: Flask, ada: Person) -> None:
    endings, job_id, other = Endings(app, 8), accepted(app, ada), accepted(app, ada)
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(wait, app, endings, job_id, 20) for _ in range(7)]
        late = threads.submit(wait, app, endings, other, 0.3)
        until(lambda: watchers() == 1 and late.done(), what="the other's time to pass")
        assert not any(each.done() for each in waiting)
        end(app, job_id)
        assert all(waited and spent < 15 for waited, spent in (each.result() for each in waiting))
    assert late.result()[1] >= 0.3
    until(lambda: watchers() == 0, what="the thread to go when nobody waits")


def test_one_too_many_is_answered_at_once(app: Flask, ada: Person) -> None:
    endings, job_id = Endings(app, 1), accepted(app, ada)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(wait, app, endings, job_id, 20)
        until(lambda: watchers() == 1)
        assert wait(app, endings, job_id, 20)[0] is False
        end(app, job_id)
        assert first.result()[0] is True
    assert wait(app, endings, job_id, 20)[0] is True
    assert wait(app, Endings(app, 0), job_id, 20)[0] is False


def test_a_request_that_waits_holds_no_connection(make_app: Callable[..., Flask], ada: Person, app: Flask) -> None:
    job_id = accepted(app, ada)
    endings = Endings(app, 4)
    with app.app_context():
        db.session.get(Job, job_id)
        seen: list[int] = []
        pool = db.engine.pool
        watcher = threading.Timer(0.15, lambda: seen.append(pool.checkedout()))  # type: ignore[attr-defined]
        watcher.start()
        endings.wait(job_id, 0.4)
        watcher.join()
    assert seen[0] <= 1  # the one that looks for all
