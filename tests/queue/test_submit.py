"""Acceptance: all of it or nothing, and a hint only for what is durable."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.contextvars import bound_contextvars

from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept, effects, job, states
from tests.servers import Broker
from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Effect, Job, JobEvent, User
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.usefixtures("owner")
QUEUE = "{webapi}:default"


def rows() -> list[int | None]:
    return [db.session.scalar(select(func.count()).select_from(table)) for table in (Job, JobEvent, Effect)]


def test_a_job_its_event_and_its_effects_are_there_together() -> None:
    job_id = accept("errand.hold", Errands(acts=["one", "two", "one"]), tags=["t"], priority=4)
    row = job(job_id)
    assert (row.state, row.queue, row.attempt, row.attempt_budget, row.priority) == ("queued", "default", 0, 5, 4)
    assert (row.payload, row.tags, row.owner_id) == ({"acts": ["one", "two", "one"]}, ["t"], OWNER)
    assert states(job_id) == ["queued"]
    assert {key: effect.state for key, effect in effects(job_id).items()} == {"one": "pending", "two": "pending"}


def test_a_caller_who_rolls_back_leaves_nothing(broker: Broker) -> None:
    with suppress(RuntimeError), writing():
        accept("errand.hold", Errands())
        raise RuntimeError
    assert rows() == [0, 0, 0]
    assert broker.client().llen(QUEUE) == 0


def test_the_hint_comes_after_the_commit_and_not_before(broker: Broker) -> None:
    with writing():
        accept("errand.hold", Errands())
        assert broker.client().llen(QUEUE) == 0
    assert broker.client().llen(QUEUE) == 1


def test_a_job_commits_with_the_rows_of_its_caller() -> None:
    with writing() as session:
        session.get_one(User, OWNER).name = "Ada Lovelace"
        accept("errand.hold", Errands())
    db.session.rollback()
    assert (db.session.get_one(User, OWNER).name, rows()) == ("Ada Lovelace", [1, 1, 2])


def test_a_kind_that_nobody_declared_is_refused_and_nothing_is_written() -> None:
    with pytest.raises(NotFound, match=r"no kind of job called 'errand\.gone'"):
        accept("errand.gone", Errands())
    assert rows() == [0, 0, 0]


# Made when the tests are collected, and still to come when the last of them runs.
SOON, PAST = datetime.now(UTC) + timedelta(hours=10), datetime.now(UTC) - timedelta(minutes=10)


def test_a_job_for_later_is_scheduled_and_rings_nobody(broker: Broker) -> None:
    by_delay, by_time = accept("errand.hold", Errands(), delay=60), accept("errand.hold", Errands(), run_at=SOON)
    assert (states(by_delay), states(by_time)) == (["scheduled"], ["scheduled"])
    assert broker.client().llen(QUEUE) == 0
    left = job(by_delay).run_at - datetime.now(UTC)
    assert timedelta(seconds=55) < left < timedelta(seconds=61)
    assert abs(job(by_time).run_at - SOON) < timedelta(milliseconds=1)


@pytest.mark.parametrize("options", [{}, {"delay": 0}, {"run_at": PAST}], ids=["now", "no delay", "past"])
def test_a_job_whose_time_has_come_is_queued_and_rings(options: dict[str, object], broker: Broker) -> None:
    assert job(accept("errand.hold", Errands(), **options)).state == "queued"
    assert broker.client().llen(QUEUE) == 1


def test_a_delay_wins_over_a_time() -> None:
    row = job(accept("errand.hold", Errands(), delay=36_000, run_at=PAST))
    assert row.run_at > SOON - timedelta(minutes=5)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Exception, match="a moment needs a time zone"):
        accept("errand.hold", Errands(), run_at=SOON.replace(tzinfo=None))
    db.session.rollback()
    assert rows() == [0, 0, 0]


def test_the_request_goes_with_its_job() -> None:
    with bound_contextvars(request="the-request-id"):
        job_id = accept("errand.hold", Errands())
    assert job(job_id).request_id == "the-request-id"


CANARIES = ("canary.person@private.example", "canary subject", "canary text")


def everything_in(broker: Broker) -> bytes:
    """All keys and all values of Redis."""
    client: Any = broker.client()
    found = []
    for key in client.keys("*"):
        found += [key, client.dump(key), *(client.lrange(key, 0, -1) if client.type(key) == b"list" else [])]
    return b"\n".join(found)


def test_redis_holds_nothing_of_what_a_job_says(broker: Broker) -> None:
    address, subject, text = CANARIES
    mail = Email(to=[address], subject=subject, text=text, reply_to=address)
    job_id = submit("email.send", mail, owner_id=OWNER, tags=["canary-tag"]).id
    found = everything_in(broker)
    assert str(job_id).encode() in found
    assert not [word for word in (*CANARIES, "canary", "private.example", str(OWNER)) if word.encode() in found]
