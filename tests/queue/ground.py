"""A ledger that the tests of one module share and each finds empty: quicker than a database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.conftest import BASE, DATABASES, fresh_database
from tests.queue import acting
from tests.queue.rows import add_owner
from tests.servers import Broker
from webapi import create_app
from webapi.extensions import db
from webapi.models import User
from webapi.models.transaction import writing


@pytest.fixture(scope="module", params=DATABASES)
def ground(
    request: pytest.FixtureRequest, shared_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """An app with the kinds that act beside the others. Not for tests that stop Redis: it remembers that."""
    folder = tmp_path_factory.mktemp("ground")
    with fresh_database(request, folder) as url:
        settings = {"DATABASE_URL": url, "REDIS_URL": shared_broker.url, "STORAGE_URL": str(folder / "files")}
        app: Flask = create_app({**BASE, **settings, "MAIL_PORT": 1})
        app.extensions["kinds"] |= acting.KINDS
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def owner(ground: Flask, broker: Broker) -> Iterator[User]:
    """Inside the app's context: an empty Redis, and a ledger that holds one person."""
    acting.WORLD.clear()
    with ground.app_context():
        with writing() as session:
            for table in reversed(db.metadata.sorted_tables):
                session.execute(table.delete())
        yield add_owner()
        db.session.rollback()


@pytest.fixture
def owner_alone(app: Flask, context: None) -> User:
    """The same on an app and a database that no other test sees."""
    acting.WORLD.clear()
    app.extensions["kinds"] |= acting.KINDS
    return add_owner()
