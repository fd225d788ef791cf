"""The doctor finds each missing part and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, text, update

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.s3_server import KEYS, Pail
from webapi.extensions import db
from webapi.models import Job, Schedule, Worker
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import submit
from webapi.services.doctor import Check, examine


def check(part: str) -> Check:
    return next(each for each in examine() if each.part == part)


@pytest.mark.usefixtures("context")
def test_a_database_at_an_old_migration() -> None:
    assert check("database").verdict == "ok"
    with writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert (check("database").verdict, check("database").remedy) == ("bad", "make upgrade")


def test_redis_away(make_app: Callable[..., Flask]) -> None:
    with make_app(REDIS_URL="redis://127.0.0.1:1/0").app_context():
        assert check("redis").verdict == "bad"


@pytest.mark.usefixtures("context")
def test_queues_without_a_worker_are_named_in_the_command() -> None:
    assert check("workers").remedy == "make worker QUEUES=default,email,reports"


@pytest.mark.usefixtures("context")
def test_a_job_that_has_waited_long(ada: Person) -> None:
    submit("test.note", Note(), owner_id=ada.id)
    assert check("waiting").verdict == "ok"
    with writing() as session:
        session.execute(text("UPDATE jobs SET run_at = (SELECT created_at FROM users LIMIT 1)"))
    db.session.rollback()
    assert "the oldest for" in check("waiting").sentence


@pytest.mark.usefixtures("context")
def test_a_mail_server_that_does_not_answer() -> None:
    assert check("mail").verdict == "bad"
    assert "cannot be reached" in check("mail").sentence


def test_a_folder_that_cannot_be_written(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    with make_app(STORAGE_URL=str(tmp_path / "blocked")).app_context():
        assert check("files").verdict == "bad"


def test_a_bucket_that_is_not_there(make_app: Callable[..., Flask], pail: Pail, tmp_path: Path) -> None:
    settings = {"STORAGE_URL": pail.url(), "SCRATCH_PATH": str(tmp_path / "scratch"), **KEYS}
    with make_app(**settings).app_context():
        assert "bad" not in {check("files").verdict, check("disk").verdict}
        pail.client.delete_bucket(Bucket=pail.name)
        assert check("files").verdict == "bad"
        assert "There is no such bucket" in check("files").sentence


def test_the_command_names_the_remedy_and_exits_with_one(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["doctor"])
    assert answer.exit_code == 1
    assert "-> make worker" in answer.output


@pytest.mark.usefixtures("context")
def test_a_job_that_no_relay_queued_names_the_relay(ada: Person) -> None:
    submit("test.note", Note(), owner_id=ada.id, delay=60)
    assert check("relay").verdict == "ok"
    with writing() as session:
        session.execute(update(Job).values(run_at=after(-30)))
    db.session.rollback()
    assert check("relay").verdict == "bad"
    assert check("relay").remedy.startswith("make relay")


@pytest.mark.usefixtures("context")
def test_a_schedule_that_is_late_is_told_apart_from_one_that_has_a_problem(ada: Person) -> None:
    late = {"owner_id": ada.id, "kind": "test.note", "payload": {}, "cron": "@daily", "timezone": "UTC"}
    with writing() as session:
        session.execute(insert(Schedule).values(id=ada.id, next_at=after(-600), problem="Its kind is gone.", **late))
    assert (check("schedules").verdict, "test.note" in check("schedules").sentence) == ("warn", True)
    with writing() as session:
        session.execute(update(Schedule).values(problem=None))
    assert check("schedules").verdict == "bad"


@pytest.mark.usefixtures("context")
def test_an_uncertain_job_and_a_kind_that_is_gone_wait_for_somebody(ada: Person) -> None:
    submit("test.note", Note(), owner_id=ada.id)
    assert (check("uncertain").verdict, check("kinds").verdict) == ("ok", "ok")
    with writing() as session:
        session.execute(update(Job).values(kind="gone.kind"))
    assert "gone.kind" in check("kinds").sentence
    with writing() as session:
        session.execute(update(Job).values(state="uncertain", finished_at=now()))
    assert check("uncertain").sentence == "1 job ended without an answer: a person has to look."


def add_worker(kinds: dict[str, int], queues: tuple[str, ...] = ("default", "email", "reports")) -> None:
    row = {"id": uuid4(), "host": "h", "pid": 7, "slots": 2, "busy": 0, "queues": list(queues), "version": "0"}
    with writing() as session:
        session.execute(insert(Worker).values(**row, kinds=kinds))


@pytest.mark.usefixtures("context")
def test_workers_of_an_older_program(app: Flask) -> None:
    known = {kind.name: kind.version for kind in app.extensions["kinds"].values()}
    add_worker({name: version for name, version in known.items() if name != "report.build"})
    assert check("workers").verdict == "bad"
    assert "No living worker knows: report.build" in check("workers").sentence
    add_worker(known)
    assert (check("workers").verdict, "stop h:7" in check("workers").remedy) == ("warn", True)
    with writing() as session:
        session.execute(update(Worker).values(kinds=known))
    assert check("workers").verdict == "ok"


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_index_whose_building_was_cut_short() -> None:
    broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_jobs_turn'::regclass"
    with writing() as session:
        session.execute(text(broken))
    assert check("database").verdict == "warn"
    assert ("ix_jobs_turn" in check("database").sentence, check("database").remedy[:12]) == (True, "make upgrade")
    db.session.remove()  # the building of an index waits for every transaction that has begun before
    upgrade()
    assert check("database").verdict == "ok"
