"""What the ledger tells Prometheus: right figures, no names, and little work however often it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, update

from tests.kinds.faulty import Note
from tests.queue.acting import Anything, Errands
from tests.queue.rows import OWNER, accept, change
from tests.scraping import figure, samples
from tests.servers import Broker
from tests.services.system import crowd
from webapi.extensions import db
from webapi.models import Effect, EffectState, State, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import gates
from webapi.services.system.gauges import Gauges


def page(app: Flask) -> dict[Any, float]:
    db.session.rollback()
    return samples(Gauges(app).page())


@contextmanager
def statements() -> Any:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("owner")
def test_an_empty_system_has_every_figure(ground: Flask) -> None:
    found = page(ground)
    names = {name for name, _ in found}
    assert {"webapi_jobs", "webapi_oldest_due_age_seconds", "webapi_unknown_effects"} <= names
    assert figure(found, "webapi_database_up") == 1
    assert figure(found, "webapi_redis_up") == 1
    assert figure(found, "webapi_queue_workers", queue="email") == 0


@pytest.mark.usefixtures("owner")
def test_jobs_are_counted_by_queue_kind_and_state(ground: Flask) -> None:
    accept("test.note", Note())
    accept("test.note", Note(), delay=3600)
    change(accept("test.slow", Note()), state=State.RUNNING, lease_until=after(60), lease_owner="x:1", attempt=1)
    found = page(ground)
    for kind, state in (("test.note", "queued"), ("test.note", "scheduled"), ("test.slow", "running")):
        assert figure(found, "webapi_jobs", queue="default", kind=kind, state=state) == 1
    assert figure(found, "webapi_jobs") == 3


@pytest.mark.usefixtures("owner")
def test_the_oldest_due_job_has_its_age_unless_its_kind_is_held(ground: Flask) -> None:
    change(accept("test.note", Note()), run_at=after(-400))
    change(accept("rated.slow", Anything()), run_at=after(-9000))
    change(accept("test.slow", Note()), run_at=after(-9000))
    gates.pause("test.slow", "command line")
    found = page(ground)
    assert 400 <= figure(found, "webapi_oldest_due_age_seconds", queue="default") < 460
    assert figure(found, "webapi_kind_paused", kind="test.slow") == 1


@pytest.mark.usefixtures("owner")
def test_drift_is_what_is_due_and_has_no_hint(ground: Flask, broker: Broker) -> None:
    crowd.worker()
    for _ in range(3):
        accept("test.note", Note())
    assert figure(page(ground), "webapi_queue_drift", queue="default") == 0
    broker.client().flushall()
    found = page(ground)
    assert figure(found, "webapi_queue_drift", queue="default") == 3
    assert figure(found, "webapi_queue_slots", queue="default") == 2


@pytest.mark.usefixtures("owner")
def test_the_silence_of_workers_is_told(ground: Flask) -> None:
    crowd.worker()
    with writing() as session:
        session.execute(update(Worker).values(last_hint_at=after(-200), seen_at=after(-30)))
    found = page(ground)
    assert 200 <= figure(found, "webapi_last_hint_age_seconds", queue="default") < 230
    assert 30 <= figure(found, "webapi_relay_age_seconds") < 60
    assert figure(found, "webapi_workers", life="silent") == 1


@pytest.mark.usefixtures("owner")
def test_what_waits_for_a_person_has_its_age(ground: Flask) -> None:
    job_id = accept("errand.hold", Errands(acts=["ada@private.example", "two"]))
    change(job_id, state=State.UNCERTAIN, finished_at=after(-50))
    unknown = update(Effect).where(Effect.job_id == job_id, Effect.effect_key != "two")
    with writing() as session:
        session.execute(unknown.values(state=EffectState.UNKNOWN, marked_at=after(-90_000)))
    found = page(ground)
    assert figure(found, "webapi_unknown_effects") == 1
    assert 90_000 <= figure(found, "webapi_unknown_effects_age_seconds") < 90_060
    assert figure(found, "webapi_uncertain_jobs") == 1
    assert 50 <= figure(found, "webapi_uncertain_jobs_age_seconds") < 110


@pytest.mark.usefixtures("owner")
def test_no_id_address_or_owner_is_in_it(ground: Flask) -> None:
    crowd.worker()
    job_id = accept("errand.hold", Errands(acts=["canary@private.example"]), tags=["canary-tag"])
    change(job_id, state=State.RUNNING, lease_until=after(-60), lease_owner="x:1", attempt=1)
    text = Gauges(ground).page().decode()
    assert not [word for word in ("canary", "example", str(job_id), str(OWNER), job_id.hex) if word in text]


@pytest.mark.usefixtures("owner")
def test_who_asks_again_within_seconds_costs_nothing(ground: Flask) -> None:
    gauges = Gauges(ground)
    with statements() as first:
        page = gauges.page()
    with statements() as again:
        assert [gauges.page() for _ in range(100)] == [page] * 100
    assert 5 < len(first) < 40
    assert again == []


def test_a_database_that_is_away_is_a_figure_too(make_app: Callable[..., Flask]) -> None:
    app = make_app(DATABASE_URL="postgresql://127.0.0.1:1/gone")
    began = time.monotonic()
    found = samples(Gauges(app).page())
    assert (figure(found, "webapi_database_up"), figure(found, "webapi_redis_up")) == (0, 1)
    assert "webapi_jobs" not in {name for name, _ in found}
    assert time.monotonic() - began < 8
