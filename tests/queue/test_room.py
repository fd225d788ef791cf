"""The bytes that an owner keeps: counted with the rows, refused when there is no room."""

from __future__ import annotations

from io import BytesIO
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.locks import in_the_way
from tests.queue.acting import Errands
from tests.queue.attempts import attempt_at
from tests.queue.rows import OWNER, accept, artifacts, job, states
from webapi.errors import StorageFull
from webapi.extensions import db
from webapi.models import Artifact, Upload, User
from webapi.models.transaction import writing
from webapi.queue import control, finish, new_file, room
from webapi.queue.audit import audit
from webapi.queue.ledger import add_open
from webapi.services import storage

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture(autouse=True)
def _little_room(ground: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ground.config, "STORAGE_BYTES_PER_OWNER", 1000)


def kept() -> int:
    db.session.rollback()
    assert [each.sentence for each in audit(files=False) if each.offenders] == []
    return room.used(OWNER)


def hand_in(size: int) -> None:
    storage.receive(OWNER, "a.bin", "application/octet-stream", BytesIO(b"x" * size))


def test_files_are_counted_and_one_too_many_is_refused_with_what_to_do() -> None:
    hand_in(600)
    with pytest.raises(StorageFull, match=r"You keep 600 bytes of the 1.0 kB that you may.*Delete"):
        hand_in(401)
    assert kept() == 600
    hand_in(400)
    assert kept() == 1000


def test_a_stream_is_cut_off_where_there_is_no_room_left(ground: Flask) -> None:
    hand_in(600)
    endless = BytesIO(b"x" * 5_000_000)
    with pytest.raises(StorageFull):
        storage.receive(OWNER, "a.bin", "application/octet-stream", endless)
    assert endless.tell() < 2_000_000, "the rest was never read"


def test_of_many_at_once_only_as_many_are_kept_as_there_is_room_for(ground: Flask) -> None:
    db.session.remove()
    barrier, answers = Barrier(8), []

    def run() -> None:
        with ground.app_context():
            barrier.wait()
            try:
                hand_in(300)
                answers.append("kept")
            except StorageFull:
                answers.append("refused")
            db.session.remove()

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers.count("kept"), kept()) == (3, 900)


def produce(size: int) -> None:
    with attempt_at() as attempt:
        new_file("out.bin", "application/octet-stream").write_bytes(b"x" * size)
        try:
            finish.succeeded(attempt, None)
        except StorageFull as error:
            finish.failed(attempt, error)


def test_a_job_whose_files_find_no_room_fails_for_good_and_says_why() -> None:
    job_id = accept("errand.hold", Errands(acts=[]))
    produce(1001)
    row = job(job_id)
    assert (row.state, row.error_code, artifacts(job_id)) == ("failed", "storage_full", [])
    assert "Delete" in (row.error_public or "")
    assert states(job_id) == ["queued", "running", "failed"]
    assert kept() == 0


def test_a_job_that_is_done_again_puts_its_new_files_in_the_place_of_the_old() -> None:
    job_id = accept("errand.hold", Errands(acts=[]))
    produce(700)
    with writing() as session:
        control.replay(session, job_id, "ada")
    produce(900)
    assert (job(job_id).state, kept()) == ("succeeded", 900)


def test_what_was_not_counted_is_counted_anew(ground: Flask) -> None:
    """As after an upgrade during which processes of the version before took files in."""
    hand_in(300)
    produce_job = accept("errand.hold", Errands(acts=[]))
    produce(200)
    with writing() as session:
        session.execute(update(User).values(storage_bytes=7))
    run = ground.test_cli_runner().invoke
    assert [run(args=["users", "recount"]).output for _ in range(2)] == [
        "1 numbers were wrong.\n", "0 numbers were wrong.\n",
    ]  # fmt: skip
    assert (kept(), len(artifacts(produce_job))) == (500, 1)


def test_what_is_deleted_makes_room(owner: User) -> None:
    job_id = accept("errand.hold", Errands(acts=[]))
    produce(700)
    hand_in(300)
    (upload, artifact) = sorted(storage.largest(OWNER), key=lambda each: each.size)
    assert (upload.upload_id is not None, artifact.job_id) == (True, job_id)
    storage.discard_artifact(owner, job_id, "out.bin")
    assert kept() == 300
    assert upload.upload_id is not None
    storage.discard_upload(owner, upload.upload_id)
    assert kept() == 0


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
@pytest.mark.parametrize("what", ["artifact", "upload"])
def test_a_file_is_deleted_while_a_job_that_concerns_it_is_accepted_or_ends(
    ground: Flask, owner: User, what: str
) -> None:
    """Whoever ends it or accepts one has counted it with its owner, and takes the rows of files then."""
    job_id = accept("errand.hold", Errands(acts=[]))
    produce(700)
    hand_in(300)
    (upload_id,) = [each.upload_id for each in storage.largest(OWNER) if each.upload_id]
    touched = {
        "artifact": select(Artifact.id).where(Artifact.job_id == job_id).with_for_update(),
        "upload": select(Upload.id).where(Upload.id == upload_id).with_for_update(read=True, key_share=True),
    }[what]
    db.session.refresh(owner)
    with in_the_way(ground, lambda session: add_open(session, OWNER, 0), lambda session: session.execute(touched)):
        if what == "artifact":
            storage.discard_artifact(owner, job_id, "out.bin")
        else:
            storage.discard_upload(owner, upload_id)
    assert kept() == {"artifact": 300, "upload": 700}[what]
