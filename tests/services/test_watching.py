"""One look for all watchers; tests/blueprints/test_live.py watches through a real server."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event
from uuid_utils.compat import uuid7

from tests.conftest import Person
from tests.queue.rows import change
from tests.waiting import until
from webapi.extensions import db
from webapi.models import State
from webapi.models.columns import now
from webapi.queue import kind_named
from webapi.services import jobs
from webapi.services.watching import BATCHES, INTERVAL, Watchers, look
from webapi.tasks.report_build import ReportRequest

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


def submitted(ada: Person) -> UUID:
    job_id: UUID = jobs.submit(ada.row, kind_named("report.build"), ReportRequest()).id
    return job_id


@pytest.fixture
def watchers(app: Flask) -> Watchers:
    app.config["LIVE_WATCHERS"] = 50
    return Watchers(app)


def test_however_many_are_watched_it_is_one_statement(ada: Person) -> None:
    ids = [submitted(ada) for _ in range(20)]
    said: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    assert look(ids).keys() == set(ids)
    assert [each.split()[0] for each in said if each != "BEGIN"] == ["SELECT"]


def test_beyond_the_cap_there_is_no_place_until_somebody_leaves(ada: Person, watchers: Watchers) -> None:
    job_id = submitted(ada)
    places = [watchers.enter(job_id) for _ in range(50)]
    assert watchers.enter(job_id) is None
    assert places[0] is not None
    watchers.leave(places[0])
    watchers.leave(places[0])
    assert watchers.enter(job_id) is not None


def test_a_watcher_is_woken_by_what_changes_and_by_nothing_else(ada: Person, watchers: Watchers) -> None:
    one, other = submitted(ada), submitted(ada)
    place, quiet = watchers.enter(one), watchers.enter(other)
    assert place is not None
    assert quiet is not None
    change(one, state=State.RUNNING, lease_until=now())
    until(place.changed.is_set, what="the watcher to be woken")
    assert place.latest is not None
    assert place.latest.state == "running"
    assert not quiet.changed.is_set()


def test_progress_does_not_change_the_shape(ada: Person) -> None:
    job_id = submitted(ada)
    before = look([job_id])[job_id]
    change(job_id, progress=30)
    after = look([job_id])[job_id]
    assert (after.shape == before.shape, after.id == before.id) == (True, False)
    change(job_id, attempt=1)
    assert look([job_id])[job_id].shape != before.shape


def test_a_job_that_is_gone_is_not_found(ada: Person) -> None:
    assert look([uuid7()]) == {}


def test_the_more_watch_the_longer_they_wait_for_progress(ada: Person, watchers: Watchers) -> None:
    assert watchers.pace == INTERVAL
    job_id = submitted(ada)
    for _ in range(50):
        watchers.enter(job_id)
    assert watchers.pace == max(INTERVAL, 50 / BATCHES)
