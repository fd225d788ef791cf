"""Cancel, run again, settle: what people may do to a job from outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Person
from tests.kinds.acting import Acts
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.queue.attempts import holding
from tests.waiting import until
from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, JobEvent
from webapi.queue import kind_named, submit
from webapi.queue.attempt import Cancelled
from webapi.queue.claim import claim
from webapi.queue.effects import outstanding
from webapi.queue.finish import cancelled
from webapi.queue.run import work


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return tmp_path / "world"


class Desk:
    """Ada's jobs, seen and changed through the JSON door; `work` is one attempt in this process."""

    def __init__(self, app: Flask, ada: Person) -> None:
        self.app, self.ada = app, ada
        self.client: FlaskClient = app.test_client()

    def accept(self, acts: Acts) -> str:
        with self.app.app_context():
            return str(submit("test.acts", acts, owner_id=self.ada.id).id)

    def work(self) -> None:
        with self.app.app_context():
            work(kind_named("test.acts"))

    def state(self, job_id: str) -> str:
        return str(self.client.get(f"/api/v1/jobs/{job_id}", headers=self.ada.headers).get_json()["state"])

    def post(self, job_id: str, verb: str, body: object = None) -> int:
        return self.client.post(f"/api/v1/jobs/{job_id}/{verb}", json=body, headers=self.ada.headers).status_code

    def effect(self, job_id: str, key: str) -> str:
        with self.app.app_context():
            found = db.session.query(Effect).filter_by(job_id=UUID(job_id), effect_key=key).one()
            return str(found.id)


@pytest.fixture
def desk(app: Flask, ada: Person) -> Desk:
    return Desk(app, ada)


def test_a_waiting_job_is_cancelled_and_never_runs(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a"]))
    assert desk.post(job_id, "cancel") == 200
    desk.work()
    assert desk.state(job_id) == "cancelled"
    assert not world.exists()
    assert desk.post(job_id, "cancel") == 409


def test_a_running_job_stops_when_it_is_asked_to(
    app: Flask, ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path, desk: Desk
) -> None:
    start_worker(app)
    note = Note(path=str(tmp_path / "note"))
    with app.app_context():
        job_id = str(submit("test.slow", note, owner_id=ada.id).id)
    until(lambda: desk.state(job_id) == "running", what="the job to begin")
    assert desk.post(job_id, "cancel") == 200
    until(lambda: desk.state(job_id) == "cancelled", seconds=5, what="the job to stop")


def test_running_a_job_again_repeats_only_what_certainly_did_not_happen(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a", "b"], refused=["b"]))
    desk.work()
    assert desk.state(job_id) == "failed"
    assert desk.post(job_id, "replay") == 202
    desk.work()
    assert world.read_text().split() == ["a", "b", "b"]


def test_a_job_that_is_not_over_cannot_be_run_again(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a"]))
    assert desk.post(job_id, "replay") == 409


def test_a_replay_is_a_new_epoch_with_one_end_of_its_own(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=[]))
    for _ in range(3):
        desk.work()
        assert desk.state(job_id) == "succeeded"
        desk.post(job_id, "replay")
    with desk.app.app_context():
        ends = db.session.query(JobEvent).filter_by(job_id=UUID(job_id), to_state="succeeded")
        assert [(end.epoch, end.attempt) for end in ends.order_by(JobEvent.seq)] == [(0, 1), (1, 2), (2, 3)]


def test_an_unknown_effect_is_not_repeated_by_a_replay(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a"], unanswered=["a"]))
    desk.work()
    assert desk.state(job_id) == "uncertain"
    desk.post(job_id, "replay")
    desk.work()
    assert desk.state(job_id) == "uncertain"
    assert world.read_text().split() == ["a"]


def test_a_person_who_found_it_delivered_settles_the_job(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a", "b"], unanswered=["a"]))
    desk.work()
    answers = {"effects": {desk.effect(job_id, "a"): "delivered"}}
    assert desk.post(job_id, "resolve", answers) == 200
    assert desk.state(job_id) == "succeeded"
    assert world.read_text().split() == ["a", "b"]
    assert desk.post(job_id, "resolve", answers) == 409


def test_a_person_may_order_a_second_one_and_it_is_counted(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a", "b"], unanswered=["a"]))
    desk.work()
    assert desk.post(job_id, "resolve", {"effects": {desk.effect(job_id, "a"): "resend"}}) == 200
    desk.work()
    assert world.read_text().split() == ["a", "b", "a"]
    with desk.app.app_context():
        assert db.session.query(Effect).filter_by(effect_key="a").one().resends == 1


def test_an_effect_that_is_known_cannot_be_settled(desk: Desk, world: Path) -> None:
    job_id = desk.accept(Acts(path=str(world), keys=["a", "b"], unanswered=["a"]))
    desk.work()
    assert desk.post(job_id, "resolve", {"effects": {desk.effect(job_id, "b"): "resend"}}) == 422
    assert desk.post(job_id, "resolve", {"effects": {desk.effect(job_id, "a"): "perhaps"}}) == 422
    assert desk.state(job_id) == "uncertain"


def test_cancelling_wins_over_every_effect_that_is_not_marked(desk: Desk, world: Path) -> None:
    """The job is cancelled between its first and its second act."""
    job_id = desk.accept(Acts(path=str(world), keys=["a", "b"]))
    with desk.app.app_context():
        attempt = claim(kind_named("test.acts"))
        assert attempt is not None
        with holding(attempt):
            first, second = outstanding(["a", "b"])
            first.mark()
            assert desk.post(job_id, "cancel") == 200
            first.settle(EffectState.DONE)
            with pytest.raises(Cancelled):
                second.mark()
            assert cancelled(attempt) == "cancelled"
        assert db.session.get_one(Job, UUID(job_id)).error_public == "Cancelled while it ran; 1 of 2 effects were done."
