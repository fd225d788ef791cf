"""Hold mode: nothing of a restored copy begins before a person says so."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from tests.conftest import Person
from tests.kinds.faulty import Note
from webapi.errors import Conflict, NotFound
from webapi.extensions import db
from webapi.models import Job, Schedule, TrailEntry, User, Worker
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import gates, kind_named, submit
from webapi.queue.claim import claim
from webapi.queue.schedules import fire_due
from webapi.services import sessions, tickets
from webapi.services.system import restoring

pytestmark = pytest.mark.usefixtures("context")


def late_schedule(ada: Person, **values: object) -> Schedule:
    row = {"kind": "test.note", "payload": {}, "cron": "0 0 * * *", "timezone": "UTC", "next_at": after(-90000)}
    schedule_id = uuid4()
    with writing() as session:
        session.execute(insert(Schedule).values(id=schedule_id, owner_id=ada.id, **row, **values))
    return db.session.get_one(Schedule, schedule_id)


def jobs() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Job.state).order_by(Job.id)))


def test_due_jobs_are_held_and_every_kind_is_paused(app: Flask, ada: Person) -> None:
    submit("test.note", Note(), owner_id=ada.id)
    assert restoring.would_hold().jobs == {"test.note": 1}
    held = restoring.hold()
    assert (held.jobs, jobs()) == ({"test.note": 1}, ["uncertain"])
    assert set(held.paused) == set(app.extensions["kinds"])
    assert db.session.scalars(select(TrailEntry.what)).all()[-1:] == ["ledger.restored"]


def test_what_is_accepted_afterwards_waits_until_a_person_says_go_on(ada: Person) -> None:
    """A client that repeats a request whose idempotency key went with the copy is such a case."""
    gates.pause("email.send", "ada")
    restoring.hold()
    submit("test.note", Note(), owner_id=ada.id)
    assert claim(kind_named("test.note")) is None
    restoring.resume()
    assert set(gates.paused()) == {"email.send"}, "what somebody else paused stays paused"
    assert claim(kind_named("test.note")) is not None


def test_missed_fire_times_are_left_out_and_the_next_one_comes(ada: Person) -> None:
    row, paused = late_schedule(ada), late_schedule(ada, paused=True)
    before = paused.next_at
    assert restoring.hold().schedules == 1
    fire_due()
    assert jobs() == []
    clock = db.session.execute(select(now())).scalar_one()
    db.session.refresh(row)
    db.session.refresh(paused)
    assert (row.next_at > clock, paused.next_at) == (True, before)
    assert "were left out" in str(row.problem)


def test_sessions_and_links_that_may_have_ended_since_are_dead(ada: Person) -> None:
    cookie = sessions.begin(db.session.get_one(User, ada.id), "a browser")
    ticket = tickets.issue(tickets.INVITATION, "new@example.com", 3600)
    token = tickets.token(ticket)
    restoring.hold()
    assert sessions.find(cookie) is None
    with pytest.raises(NotFound):
        tickets.find(tickets.INVITATION, token)


def test_while_a_worker_lives_nothing_is_held(ada: Person) -> None:
    submit("test.note", Note(), owner_id=ada.id)
    worker = {"id": uuid4(), "host": "h", "pid": 7, "slots": 1, "busy": 0, "queues": ["default"], "version": "0"}
    with writing() as session:
        session.execute(insert(Worker).values(**worker))
    with pytest.raises(Conflict, match="h:7"):
        restoring.hold()
    assert jobs() == ["queued"]
    with writing() as session:
        session.execute(update(Worker).values(seen_at=after(-61)))
    restoring.hold()
    assert jobs() == ["uncertain"]


def test_a_person_settles_the_jobs_of_one_kind_and_releases_those_of_one_owner(ada: Person, eve: Person) -> None:
    for kind, owner in (("test.note", ada), ("test.slow", ada), ("test.slow", eve)):
        submit(kind, Note(), owner_id=owner.id)
    restoring.hold()
    assert restoring.settle("delivered", "test.note") == 1
    assert restoring.settle("resend", owner_id=eve.id) == 1
    assert (jobs(), restoring.status().jobs) == (["succeeded", "uncertain", "queued"], {"test.slow": 1})
    assert restoring.settle("delivered") == 1
    assert restoring.settle("delivered") == 0
