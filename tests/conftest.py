"""What tests stand on: both databases, a real Valkey, apps, people, workers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from uuid_utils.compat import uuid7

import webapi.tasks
from tests import quick_routes
from tests.processes import RealWorker
from tests.s3_server import Pail, new_pail, s3_server
from tests.servers import Broker, postgres
from webapi import create_app
from webapi.extensions import db
from webapi.models import User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services import keys, passwords

quick_routes.install()
KINDS = str(Path(__file__).parent / "kinds")
if KINDS not in webapi.tasks.__path__:
    webapi.tasks.__path__.append(KINDS)

BASE = {
    "WEBAPI_ENV": "development",
    "SECRET_KEY": "the-key-of-the-tests-is-long-enough-for-anything",
    "SECRET_KEY_FALLBACKS": [],
    "LEASE_SECONDS": 6,
    "REGISTRATION": "open",
    "MAIL_USERNAME": None,
    "MAIL_PASSWORD": None,
    "INBOX_PATH": None,
    "CALL_PORTS": [],
    "CALL_PRIVATE": [],
    "CALL_SECRET": None,
    "PUBLIC_URL": "http://127.0.0.1:5000",
    "RATELIMIT_ENABLED": False,
    "REQUESTS_PER_MINUTE": 0,
    "REQUESTS_PER_MINUTE_ADDRESS": 0,
}


@pytest.fixture(scope="session")
def shared_broker() -> Iterator[Broker]:
    broker = Broker()
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def broker(shared_broker: Broker) -> Broker:
    """A running, empty Valkey."""
    if shared_broker.process is None:
        shared_broker.start()
    shared_broker.client().flushall()
    return shared_broker


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    with s3_server() as port:
        yield port


@pytest.fixture
def pail(s3_port: int) -> Pail:
    """An empty bucket of an S3."""
    return new_pail(s3_port)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres() as server:
        yield server.url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "webapi.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_webapi")
    _migrate(postgres_server.replace("/postgres", "/template_webapi"))
    return postgres_server


def _migrate(url: str) -> None:
    app = create_app({**BASE, "DATABASE_URL": url})
    with app.app_context():
        upgrade()
        for engine in db.engines.values():
            engine.dispose()


DATABASES = ["sqlite", "postgresql"]


@contextmanager
def fresh_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A migrated, empty database of the kind that the fixture's parameter names."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "webapi.db")
        yield f"sqlite:///{folder / 'webapi.db'}"
        return
    server: str = request.getfixturevalue("postgres_template")
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        # Half as long as to write the copy to the log first, which is what version 15 and later do unasked.
        how = "STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template_webapi {how}')
        yield server.replace("/postgres", f"/{name}")
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A Valkey that this test alone uses, and may stop."""
    broker = Broker()
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each test that needs a database runs once on each of the two."""
    with fresh_database(request, tmp_path) as url:
        yield url


@pytest.fixture
def make_app(database_url: str, broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Builds apps on this test's database; each may differ in its settings."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        settings = {
            **BASE,
            "DATABASE_URL": database_url,
            "REDIS_URL": broker.url,
            "STORAGE_URL": str(tmp_path / "files"),
            "MAIL_PORT": 1,  # nobody listens there
            **changes,
        }
        app: Flask = create_app(settings)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """The app's context around a test of services. Not for tests that also use a client."""
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


_hashed = cache(passwords.hashed)  # slow on purpose, and the same for everybody here


class Person:
    """Somebody with a confirmed address and an API key."""

    password = "correct horse battery"

    def __init__(self, app: Flask, email: str) -> None:
        self.app = app
        self.email = email
        with app.app_context():
            user = User(id=uuid7(), email=email, name=email.partition("@")[0].title())
            user.password_hash, user.verified_at = _hashed(self.password), now()
            with writing() as session:
                session.add(user)
            self.id: UUID = user.id
            self.key = keys.create(user, "tests")
        self.headers = {"Authorization": f"Bearer {self.key}"}

    @property
    def row(self) -> User:
        return db.session.get_one(User, self.id)


@pytest.fixture
def ada(app: Flask) -> Person:
    return Person(app, "ada@example.com")


@pytest.fixture
def eve(app: Flask) -> Person:
    return Person(app, "eve@example.com")


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., RealWorker]]:
    """Starts real workers; whatever still runs at the end is killed."""
    started: list[RealWorker] = []

    def start(app: Flask, **options: Any) -> RealWorker:
        worker = RealWorker(app, tmp_path / f"worker-{len(started)}.log", **options)
        started.append(worker)
        return worker.start()

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def worker(app: Flask, start_worker: Callable[..., RealWorker]) -> RealWorker:
    return start_worker(app)


class Live:
    """A whole system that the tests of one module share: an app, its owner, a real worker."""

    def __init__(self, app: Flask, worker: RealWorker, ada: Person) -> None:
        self.app = app
        self.worker = worker
        self.ada = ada


@pytest.fixture(scope="module", params=DATABASES)
def live(
    request: pytest.FixtureRequest, shared_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """Only for tests that leave the worker and the broker as they found them."""
    folder = tmp_path_factory.mktemp("live")
    shared_broker.client().flushall()
    with fresh_database(request, folder) as url:
        app = create_app(
            {
                **BASE,
                "DATABASE_URL": url,
                "REDIS_URL": shared_broker.url,
                "STORAGE_URL": str(folder / "files"),
                "MAIL_PORT": 1,
            }
        )
        worker = RealWorker(app, folder / "worker.log", concurrency=2)
        try:
            yield Live(app, worker.start(), Person(app, "ada@example.com"))
        finally:
            worker.kill()
            with app.app_context():
                for engine in db.engines.values():
                    engine.dispose()
