"""Two apps in one process do not meet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import celery
import pytest
from flask import Flask
from sqlalchemy import func, select

import webapi.tasks
from tests.conftest import BASE
from tests.contracts.source import PACKAGE
from tests.kinds.faulty import Note
from tests.servers import Broker
from webapi import create_app
from webapi.extensions import db
from webapi.models import Job, User
from webapi.queue import submit, task
from webapi.queue.run import work

OWNER = UUID(int=7)


@pytest.fixture
def apps(
    broker: Broker, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Flask, Flask]]:
    """The first has the kinds of the tests beside the product's, the second has the product's alone."""
    made = []
    for number, paths in enumerate([list(webapi.tasks.__path__), [str(PACKAGE / "tasks")]]):
        monkeypatch.setattr(webapi.tasks, "__path__", paths)
        database = shutil.copy(sqlite_template, tmp_path / f"{number}.db")
        settings = {
            **BASE,
            "SECRET_KEY": f"the key of app {number} is long enough, too",
            "DATABASE_URL": f"sqlite:///{database}",
            "REDIS_URL": broker.url.replace("/0", f"/{number}"),
            "STORAGE_URL": str(tmp_path / f"files-{number}"),
        }
        made.append(create_app(settings))
    for app in made:
        with app.app_context():
            db.session.add(User(id=OWNER, email="ada@example.com", name="Ada", password_hash="none"))
            db.session.commit()
    yield made[0], made[1]
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def celery_of(app: Flask) -> Any:
    return app.extensions["celery"]


def count(app: Flask) -> int | None:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Job))


def test_each_app_has_a_celery_of_its_own(apps: tuple[Flask, Flask]) -> None:
    first, second = (celery_of(app) for app in apps)
    assert first is not second
    assert first.flask_app is apps[0]
    assert second.conf.broker_url != first.conf.broker_url


def test_neither_is_the_current_app_of_the_process(apps: tuple[Flask, Flask]) -> None:
    assert celery.current_app._get_current_object() not in [celery_of(app) for app in apps]
    assert not {"email.send", "data.process"} & celery.current_app.tasks.keys()


def test_the_kinds_of_one_are_not_in_the_other(apps: tuple[Flask, Flask]) -> None:
    first, second = (celery_of(app).tasks.keys() for app in apps)
    assert "test.note" in first
    assert {name for name in second if name.startswith("test.")} == set()
    assert "test.note" not in apps[1].extensions["kinds"]


@pytest.mark.parametrize("how", ["called", "applied"])
def test_a_task_runs_in_the_context_of_its_own_app(
    apps: tuple[Flask, Flask], how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / f"where_{how}.py").write_text(
        "from flask import current_app\nfrom webapi.queue import task\n\n"
        f"@task('where.{how}')\ndef where():\n    return current_app.config['SECRET_KEY']\n"
    )
    monkeypatch.setattr(webapi.tasks, "__path__", [str(folder)])
    settings = {"DATABASE_URL": "sqlite://", "REDIS_URL": apps[0].config["REDIS_URL"]}
    others = [create_app({**BASE, **settings, "SECRET_KEY": key * 40}) for key in "ab"]
    tasks = [celery_of(app).tasks[f"where.{how}"] for app in others]
    with apps[0].app_context():  # whose context is around the call must not matter
        answers = [each() if how == "called" else each.apply().get() for each in tasks]
    assert answers == ["a" * 40, "b" * 40]


def test_a_job_of_one_is_not_seen_by_the_other(apps: tuple[Flask, Flask], broker: Broker, tmp_path: Path) -> None:
    with apps[0].app_context():
        submit("test.note", Note(path=str(tmp_path / "note")), owner_id=OWNER)
    assert (count(apps[0]), count(apps[1])) == (1, 0)
    assert broker.client().keys("*default*") != []
    assert broker.client().info("keyspace").keys() == {"db0"}


def test_work_in_one_does_not_touch_the_other(apps: tuple[Flask, Flask], tmp_path: Path) -> None:
    note = Note(path=str(tmp_path / "note"))
    with apps[0].app_context():
        submit("test.note", note, owner_id=OWNER)
        kind = apps[0].extensions["kinds"]["test.note"]
    with apps[1].app_context():
        work(kind)
        assert not Path(note.path).exists()
    with apps[0].app_context():
        work(kind)
    assert Path(note.path).read_text() == "ran\n"


def test_a_plain_task_belongs_to_the_app_around_the_call(apps: tuple[Flask, Flask]) -> None:
    plain = task(f"nowhere.{uuid4().hex}")(lambda: None)
    with apps[0].app_context(), pytest.raises(KeyError):
        plain.delay()
    with pytest.raises(RuntimeError):
        plain.delay()
