"""When a part goes away, the system page names it and the command that brings it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from tests.blueprints.site import Browser
from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, State, User, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import submit

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WELL = "All is well."
NO_WORKER = "<code>make worker QUEUES=default,email,reports</code>"
NO_REDIS = "<code>start it, or check REDIS_URL</code>"


@pytest.fixture
def page(app: Flask, ada: Person) -> Callable[[], str]:
    """The page as an administrator gets it now."""
    with app.app_context(), writing():
        db.session.get_one(User, ada.id).is_admin = True
    browser = Browser(app, ada)

    def get() -> str:
        answer = browser.get("/system")
        assert answer.status_code == 200, answer.text
        return answer.text

    return get


@pytest.fixture
def redis(broker: Broker) -> Iterator[Broker]:
    """A Redis that is there again for whoever comes next."""
    yield broker
    if broker.process is None:
        broker.start()


def shows(page: Callable[[], str], *words: str) -> None:
    until(lambda: all(word in page() for word in words), what=f"the page to say {words}")


def note(app: Flask, ada: Person, path: Path) -> UUID:
    with app.app_context():
        return submit("test.note", Note(path=str(path)), owner_id=ada.id).id


def test_each_part_that_goes_away_is_named_with_its_remedy_and_comes_back(
    app: Flask, ada: Person, page: Callable[[], str], start_worker: Callable[..., RealWorker], redis: Broker,
    tmp_path: Path,
) -> None:  # fmt: skip
    assert NO_WORKER in page()
    assert "No worker has said anything yet: <code>make worker</code>" in page()

    worker = start_worker(app)
    shows(page, "1 with 2 slots; every queue is taken.", ">lives</span>")
    assert NO_WORKER not in page()

    redis.stop()
    job_id = note(app, ada, tmp_path / "note")
    shows(page, NO_REDIS, "Jobs are accepted and wait.", "so no worker hears of what is due", str(job_id))
    assert "unknown" in page()

    redis.start()
    until(lambda: state(app, job_id) is State.SUCCEEDED, seconds=30, what="the job to run once Redis is back")
    shows(page, "Redis and SQL agree")
    assert NO_REDIS not in page()

    worker.stop()
    waits = note(app, ada, tmp_path / "note")
    shows(page, NO_WORKER, "Jobs are due and no living worker takes this queue.", str(waits))


def test_a_worker_that_was_killed_is_silent_then_gone_and_what_it_ran_has_nobody(
    app: Flask, ada: Person, page: Callable[[], str], start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    worker = start_worker(app)
    with app.app_context():
        submit("test.slow", Note(path=str(tmp_path / "note")), owner_id=ada.id)
    shows(page, "<div>test.slow")
    worker.kill()
    with app.app_context(), writing() as session:
        session.execute(Worker.__table__.update().values(seen_at=after(-20)))
    assert ">silent</span>" in page()
    with app.app_context(), writing() as session:
        session.execute(Worker.__table__.update().values(seen_at=after(-70)))
    assert ">gone</span>" in page()
    assert "1 running without a living worker" in page()
    assert NO_WORKER in page()


def state(app: Flask, job_id: UUID) -> State:
    with app.app_context():
        db.session.rollback()
        return State(db.session.get_one(Job, job_id).state)
