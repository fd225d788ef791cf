"""Two versions of the program at once: what the older cannot read it leaves alone, and the newer reads both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import insert, select

from tests.queue.rows import OWNER, accept, change, job
from tests.queue.test_relay import rung
from tests.queue.versions import NAME, NEW, OLD, Word, Words, program
from tests.servers import Broker
from webapi.errors import Conflict
from webapi.extensions import db
from webapi.models import Job, Schedule, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Kind
from webapi.queue import job as declared
from webapi.queue.batch import submit_batch
from webapi.queue.claim import claim
from webapi.queue.explain import why
from webapi.queue.relay import Relay
from webapi.queue.run import work
from webapi.queue.schedules import fire_due

pytestmark = pytest.mark.usefixtures("owner")
NEWER = Words(words=["good", "day"])


@pytest.fixture
def relay(ground: Flask, broker: Broker) -> Relay:
    ground.extensions["hints"].emptied()
    return Relay(ground)


@pytest.fixture
def older(owner: object) -> Iterator[None]:
    with program(OLD):
        yield


def by(kind: Kind, payload: BaseModel) -> UUID:
    """A job that a web process of that version accepted."""
    with program(kind):
        return accept(NAME, payload)


@pytest.mark.usefixtures("older")
def test_an_older_program_does_not_claim_a_newer_payload_and_charges_no_attempt() -> None:
    job_id = by(NEW, NEWER)
    work(OLD)
    assert (job(job_id).state, job(job_id).attempt, job(job_id).crash_count) == ("queued", 0, 0)
    with program(NEW):
        work(NEW)
    assert (job(job_id).state, job(job_id).attempt, job(job_id).result) == ("succeeded", 1, "good day")


@pytest.mark.usefixtures("older")
def test_what_it_can_read_an_older_program_takes_past_the_newer() -> None:
    newer, older = by(NEW, NEWER), by(OLD, Word(word="hello"))
    work(OLD)
    assert (job(newer).state, job(older).result) == ("queued", "hello")


def test_an_older_payload_is_read_in_the_newer_shape() -> None:
    job_id = by(OLD, Word(word="hello"))
    with program(NEW):
        work(NEW)
    assert (job(job_id).result, job(job_id).payload) == ("hello", {"word": "hello"})


def test_a_batch_has_its_version_too() -> None:
    with program(NEW):
        submit_batch(NEW, {0: NEWER, 1: NEWER}, owner_id=OWNER)
    assert set(db.session.scalars(select(Job.payload_version))) == {2}
    assert claim(OLD) is None


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize("lacking", [OLD, None], ids=["an older one", "none"])
def test_what_is_for_a_newer_program_is_rung_for_soon_at_first_and_then_seldom(
    relay: Relay, broker: Broker, lacking: Kind | None
) -> None:
    job_id = by(NEW, NEWER)
    broker.client().flushdb()
    relay._app.extensions["hints"].emptied()
    with program(lacking):
        for age, silent, times in ((0, 1, 0), (0, 3, 1), (30, 9, 1), (30, 11, 2), (600, 59, 2), (600, 61, 3)):
            change(job_id, run_at=after(-age), published_at=after(-silent))
            relay.run_once()
            relay.run_once()
            assert rung(broker)[str(job_id)] == times, (age, silent)
    assert job(job_id).publish_count == 0


def schedule(kind: Kind, payload: BaseModel) -> UUID:
    row = {"kind": NAME, "payload": payload.model_dump(), "payload_version": kind.version, "next_at": after(-1)}
    schedule_id = uuid4()
    with writing() as session:
        session.execute(
            insert(Schedule).values(id=schedule_id, owner_id=OWNER, cron="0 0 * * *", timezone="UTC", **row)
        )
    return schedule_id


def jobs_of(schedule_id: UUID) -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Job.payload_version).where(Job.schedule_id == schedule_id)))


def test_an_older_relay_leaves_a_newer_schedule_to_a_newer_one() -> None:
    newer, older = schedule(NEW, NEWER), schedule(OLD, Word(word="hello"))
    with program(OLD):
        fire_due()
    assert (jobs_of(newer), jobs_of(older)) == ([], [1])
    assert "newer version" in str(db.session.get_one(Schedule, newer).problem)
    with program(NEW):
        fire_due()
    assert jobs_of(newer) == [2]
    assert db.session.get_one(Schedule, newer, populate_existing=True).problem is None


def test_a_newer_relay_fires_an_older_schedule_in_the_newer_shape() -> None:
    schedule_id = schedule(OLD, Word(word="hello"))
    with program(NEW):
        fire_due()
        work(NEW)
    assert db.session.scalars(select(Job.result).where(Job.schedule_id == schedule_id)).one() == "hello"


def add_worker(kinds: dict[str, int] | None) -> None:
    row = {"id": uuid4(), "host": "h", "pid": 1, "slots": 2, "busy": 0, "queues": ["default"], "version": "0"}
    with writing() as session:
        session.execute(insert(Worker).values(**row, kinds=kinds))


def test_why_says_that_only_older_programs_work() -> None:
    job_id = by(NEW, NEWER)
    with program(NEW):
        add_worker({NAME: 1})
        add_worker(None)
        reason = why(job(job_id))
        assert (reason.code, f"version 2 of {NAME}" in reason.sentence) == ("no_version", True)
        assert (reason.evidence["workers_on_queue"], reason.evidence["workers_able"]) == (2, 0)
        add_worker({NAME: 2})
        assert why(job(job_id)).code == "hint_sent"


@pytest.mark.parametrize("upgrades", [{1: dict}, {0: dict}])
def test_an_upgrade_that_leads_nowhere_is_refused_at_import(upgrades: dict[int, Callable[..., object]]) -> None:
    with pytest.raises(TypeError, match="leads from version n"):

        @declared("grown.wrong", upgrades=upgrades)
        def say(word: Word) -> None:
            """Say nothing."""


def test_a_newer_document_is_never_read_as_an_older_one() -> None:
    with pytest.raises(Conflict, match="newer version"):
        OLD.upgraded({"words": []}, 2)
