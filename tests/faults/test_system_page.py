"""When a part goes away, the system page names it and the command that brings it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from tests.blueprints.site import Browser
from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job, Role, State, User, Worker
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
        db.session.get_one(User, ada.id).role = Role.ADMINISTRATOR
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

    with app.app_context():
        submit("test.slow", Note(path=str(tmp_path / "slow")), owner_id=ada.id)
    shows(page, "<div>test.slow")
    worker.kill()
    waits = note(app, ada, tmp_path / "note")
    said_nothing_for(app, 20)
    assert ">silent</span>" in page()
    said_nothing_for(app, 70)
    assert ">gone</span>" in page()
    assert "1 running without a living worker" in page()
    shows(page, NO_WORKER, "Jobs are due and no living worker takes this queue.", f"flask jobs why {waits}")


def said_nothing_for(app: Flask, seconds: float) -> None:
    """Let that time pass for the dead, who cannot say anything any more."""
    with app.app_context(), writing() as session:
        session.execute(update(Worker).values(seen_at=after(-seconds)))


def state(app: Flask, job_id: UUID) -> State:
    with app.app_context():
        db.session.rollback()
        return State(db.session.get_one(Job, job_id).state)
