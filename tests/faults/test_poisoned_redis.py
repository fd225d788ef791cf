"""Whatever lies in Redis, a worker of ours goes on, and nothing runs that we did not sign (I13 of the protocol)."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from tests.faults.ground import broken
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import submit
from webapi.queue.hints import Hint
from webapi.queue.servers import EPOCH_KEY

QUEUE = "{webapi}:default"


@pytest.fixture
def app(make_app: Callable[..., Flask], own_broker: Broker) -> Flask:
    return make_app(REDIS_URL=own_broker.url)


class Leaves:
    """What a pickle would do that somebody ran."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (exec, (f"open({str(self.path)!r}, 'w').close()", ""))


def pickled(message: bytes, path: Path) -> bytes:
    envelope = json.loads(message)
    envelope["body"] = base64.b64encode(pickle.dumps(Leaves(path))).decode()
    envelope["content-type"] = "application/x-python-serialize"
    envelope["content-encoding"] = "binary"
    return json.dumps(envelope).encode()


def changed(message: bytes, **headers: object) -> bytes:
    envelope = json.loads(message)
    envelope["headers"] |= headers
    return json.dumps(envelope).encode()


def poisons(app: Flask, folder: Path) -> dict[str, bytes]:
    hints = app.extensions["hints"]
    good: bytes = hints.message(Hint("test.note", "default", UUID(int=1)))
    other: bytes = hints.message(Hint("test.slow", "default", UUID(int=1)))
    macs = json.loads(other)["headers"]
    return {
        "no JSON": b"\x80\x04\xff not json",
        "nothing": b"",
        "JSON that is no message": b'{"hello": "world"}',
        "a list": b"[1, 2, 3]",
        "a message without a MAC": changed(good, webapi_mac=None),
        "a MAC of another message": changed(good, webapi_mac=macs["webapi_mac"]),
        "another task's name": good.replace(b'"test.note"', b'"test.crash"'),
        "a task that nobody knows": good.replace(b'"test.note"', b'"no.such.task"'),
        "a pickle": pickled(good, folder / "pickle-ran"),
        "five megabytes": changed(good, padding="x" * 5_000_000),
        "an ETA a year away": changed(good, eta="2027-11-21T00:00:00+00:00"),
    }


def succeeded(app: Flask, job_id: UUID) -> bool:
    with app.app_context():
        return db.session.scalars(select(Job.state).where(Job.id == job_id)).one() == "succeeded"


def test_a_worker_takes_all_of_it_and_goes_on(
    app: Flask, ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    note, worker = Note(path=str(tmp_path / "note")), start_worker(app)
    for name, poison in poisons(app, tmp_path).items():
        own_broker.client().lpush(QUEUE, poison)
        with app.app_context():
            job_id = submit("test.note", note, owner_id=ada.id).id
        until(lambda job_id=job_id: succeeded(app, job_id), seconds=40, what=f"a job after {name}")  # type: ignore[misc]
    assert worker.main().is_running()
    assert not (tmp_path / "pickle-ran").exists()
    assert set(note.lines()) == {"ran"}
    assert broken(app) == []


def test_keys_of_another_type_cost_time_only(
    app: Flask, ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    """Somebody wrote strings where our list and lists where our strings are; then the keys are gone."""
    note, client = Note(path=str(tmp_path / "note")), own_broker.client()
    client.set(QUEUE, "a string")
    client.delete(EPOCH_KEY)
    client.lpush(EPOCH_KEY, "a list")
    with app.app_context():
        job_id = submit("test.note", note, owner_id=ada.id).id
    client.delete(QUEUE, EPOCH_KEY)
    start_worker(app)
    until(lambda: succeeded(app, job_id), seconds=40, what="the job")
    assert note.lines() == ["ran"]


def test_a_hint_that_was_popped_and_lost_is_rung_again(
    app: Flask, ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    """Q1: kombu takes a message off its list before it writes down that it has it, and may die in between."""
    note = Note(path=str(tmp_path / "note"))
    with app.app_context():
        job_id = submit("test.note", note, owner_id=ada.id).id
    assert own_broker.client().lpop(QUEUE) is not None
    start_worker(app)
    until(lambda: succeeded(app, job_id), seconds=60, what="the job")
    assert note.lines() == ["ran"]


def test_a_redis_that_is_full_costs_time_only(
    app: Flask, ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    """Q5: with noeviction a full Redis refuses what is written; jobs are accepted, and run when there is room."""
    note, client = Note(path=str(tmp_path / "note")), own_broker.client()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    with app.app_context():
        ids = [submit("test.note", note, owner_id=ada.id).id for _ in range(5)]
    assert client.llen(QUEUE) == 0
    client.config_set("maxmemory", "0")
    start_worker(app)
    until(lambda: all(succeeded(app, job_id) for job_id in ids), seconds=40, what="the jobs")
    assert note.lines() == ["ran"] * 5
