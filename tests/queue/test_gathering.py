"""Jobs that are submitted at the same time commit together, and each has its own verdict."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Select, event, func, select
from sqlalchemy.exc import IntegrityError

from tests.queue.acting import Errands, Step
from tests.queue.rows import OWNER, accept, add_owner, effects, job
from tests.servers import Broker
from tests.waiting import until
from webapi.errors import QuotaReached
from webapi.extensions import db
from webapi.models import Effect, IdempotencyKey, Job, JobEvent, User
from webapi.models.transaction import writing
from webapi.queue import Once, kind_named, submit
from webapi.queue.audit import audit
from webapi.queue.batch import submit_batch
from webapi.queue.claim import claim
from webapi.queue.combining import Combining
from webapi.queue.gathering import Submission, commit, ring_for
from webapi.queue.heartbeat import doing
from webapi.queue.idempotency import KeyReused

pytestmark = pytest.mark.usefixtures("owner")
QUEUE = "{webapi}:default"
LONG = 30.0  # seconds
Told = dict[int, UUID | type[Exception]]


def at_once(app: Flask, calls: list[Callable[[], UUID]]) -> Told:
    """What becomes of calls of which the first is kept busy until the others have gathered."""
    told: Told = {}
    door = Event()

    def commit_later(gathered: list[Submission]) -> None:
        assert door.wait(LONG)
        commit(gathered)

    app.extensions["submissions"] = together = Combining(commit_later, ring_for)

    def run(number: int) -> None:
        with app.app_context():
            try:
                told[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - it is what the caller is told
                told[number] = type(error)
            db.session.remove()

    threads = [Thread(target=run, args=(number,)) for number in range(len(calls))]
    for number, thread in enumerate(threads):
        thread.start()
        until(lambda wanted=number: together.busy and together.waiting == wanted, what="it to gather")  # type: ignore[misc]
    door.set()
    for thread in threads:
        thread.join(LONG)
    return told


def errand(**options: Any) -> Callable[[], UUID]:
    return lambda: accept("errand.hold", Errands(), **options)


def counted() -> list[int | None]:
    db.session.rollback()
    assert [each.sentence for each in audit(files=False) if each.offenders] == []
    return [db.session.scalar(select(func.count()).select_from(table)) for table in (Job, JobEvent, Effect)]


def test_those_that_gather_commit_once_and_are_all_there(ground: Flask, broker: Broker) -> None:
    commits: list[None] = []
    event.listen(db.engine, "commit", lambda connection: commits.append(None))
    other = add_owner(uuid4(), "eve@example.com").id
    before = len(commits)
    told = at_once(ground, [errand(tags=[str(number)]) for number in range(10)] + [errand(owner_id=other)])
    assert len(commits) - before == 2
    assert counted() == [11, 11, 22]
    assert broker.client().llen(QUEUE) == 11
    assert [job(told[number]).tags for number in range(10)] == [[str(number)] for number in range(10)]  # type: ignore[arg-type]
    assert {key: effect.state for key, effect in effects(told[10]).items()} == {"one": "pending", "two": "pending"}  # type: ignore[arg-type]
    turns = db.session.scalars(select(Job.turn).where(Job.owner_id == OWNER).order_by(Job.turn)).all()
    assert list(turns) == list(range(turns[0], turns[0] + 10))


def test_a_kind_that_is_worked_in_sets_is_rung_for_once_for_each_set(ground: Flask, broker: Broker) -> None:
    at_once(ground, [lambda: accept("quick.step", Step(name="one"))] * 18)
    assert broker.client().llen(QUEUE) == 1 + 3  # the first alone, the others by eights
    submit_batch(kind_named("quick.step"), dict.fromkeys(range(17), Step(name="one")), owner_id=OWNER, tags=[])
    assert broker.client().llen(QUEUE) == 4 + 3


def test_a_key_that_comes_twice_at_once_has_one_job_and_another_request_is_told_so(ground: Flask) -> None:
    same, other = Once("POST /jobs", "the-key", "a" * 64), Once("POST /jobs", "the-key", "b" * 64)
    told = at_once(ground, [errand(), errand(once=same), errand(once=same), errand(once=other), errand()])
    assert told[1] == told[2]
    assert told[3] is KeyReused
    assert len({told[0], told[1], told[4]}) == 3
    assert counted()[0] == 3
    assert accept("errand.hold", Errands(), once=same) == told[1]


def test_an_owner_without_room_keeps_nobody_else_out(ground: Flask) -> None:
    other = add_owner(uuid4(), "eve@example.com").id
    keys = [Once("POST /jobs", f"the-key-{number}", "a" * 64) for number in range(4)]
    mine = [errand(quota=3, once=key) for key in keys]
    told = at_once(ground, [errand(quota=3), *mine, errand(owner_id=other, quota=3)])
    refused = [number for number, each in told.items() if each is QuotaReached]
    assert (len(refused), 5 in refused, 0 in refused) == (2, False, False)
    assert counted()[0] == 4
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 2


def test_one_that_the_database_refuses_is_refused_alone(ground: Flask) -> None:
    taken = accept("errand.hold", Errands())
    told = at_once(ground, [errand(), errand(), errand(job_id=taken), errand()])
    assert told[2] is IntegrityError
    assert counted()[0] == 4


def test_a_new_job_says_what_the_ledger_says(ground: Flask) -> None:
    options: dict[str, Any] = {"tags": ["a", "ü"], "priority": 3, "callback_url": "https://example.com/"}
    said = submit("errand.hold", Errands(), owner_id=OWNER, **options)
    kept = job(said.id)
    names = [attribute.key for attribute in Job.__mapper__.column_attrs]
    assert {name: getattr(said, name) for name in names} == {name: getattr(kept, name) for name in names}


def _fresh(query: Select[int]) -> int | None:
    db.session.rollback()
    return db.session.scalar(query)


def test_a_job_that_submits_waits_for_nobody(ground: Flask) -> None:
    """A time limit may have struck its process while it led; nobody would ever wake those that gather after that."""
    accept("quick.step", Step(name="outer"))
    attempt = claim(kind_named("quick.step"))
    assert attempt is not None
    submissions: Combining[Submission] = ground.extensions["submissions"]
    submissions.busy = True
    with doing(attempt):
        errand()()
    assert submissions.waiting == 0
    assert counted() == [2, 3, 2]


def test_a_batch_that_holds_its_owner_keeps_nobody_else_waiting(ground: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    other = add_owner(uuid4(), "eve@example.com").id
    freed, held = Event(), Event()

    def hold() -> None:
        with ground.app_context(), writing() as session:
            session.execute(select(User.id).where(User.id == OWNER).with_for_update())
            held.set()
            freed.wait(LONG)

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(LONG)
    calls = [errand(owner_id=other), errand(), errand(owner_id=other)]
    told: list[Told] = []
    asking = Thread(target=lambda: told.append(at_once(ground, calls)))
    asking.start()
    others = select(func.count()).where(Job.owner_id == other)
    until(lambda: _fresh(others) == 2, what="the others to be accepted")
    assert not told
    freed.set()
    holder.join()
    asking.join()
    assert counted()[0] == 3
