"""A site that the tests of one module share: an app on each database, and people who use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import BASE, DATABASES, Person, fresh_database
from tests.servers import Broker
from webapi import create_app
from webapi.blueprints.identity import COOKIE
from webapi.extensions import db
from webapi.models import Job, User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import sessions

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
REQUEST_ID = "a-request-of-the-tests"


class Browser:
    """A person's browser, or a visitor's: it keeps cookies and sends the token of the page that it shows."""

    def __init__(self, app: Flask, person: Person | None = None) -> None:
        self.client: FlaskClient = app.test_client()
        if person is not None:
            with app.app_context():
                cookie = sessions.begin(db.session.get_one(User, person.id), "a browser of the tests")
            with self.client.session_transaction() as session:
                session[COOKIE], session["_fresh"] = cookie, True

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **options)

    def token(self) -> str:
        found = TOKEN.search(self.client.get("/login", follow_redirects=True).text)
        assert found is not None
        return found[1]


class Site:
    """Ada and Eve have a key each. What a test needs of an empty list, it makes with a tag of its own."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app = app
        self.folder = folder
        self.ada = Person(app, "ada@example.com")
        self.eve = Person(app, "eve@example.com")
        self.program = app.test_client()

    def submit(self, kind: str, payload: dict[str, Any], **query: Any) -> dict[str, Any]:
        """A job of Ada's, accepted by the API."""
        path = f"/api/v1/jobs/{kind}"
        answer = self.program.post(path, json=payload, query_string=query, headers=self.ada.headers)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json or {}
        return found

    def work(self, kind: str) -> None:
        """Do the next job of a kind, in this process."""
        with self.app.app_context():
            work(kind_named(kind))
            db.session.remove()

    def job(self, job_id: str) -> Job:
        with self.app.app_context():
            row = db.session.get_one(Job, UUID(job_id))
            db.session.expunge(row)
            return row


@pytest.fixture(scope="module", params=DATABASES)
def site(
    request: pytest.FixtureRequest, shared_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Only for tests that leave Redis as they found it."""
    folder = tmp_path_factory.mktemp("site")
    if shared_broker.process is None:
        shared_broker.start()
    shared_broker.client().flushall()
    (folder / "inbox").mkdir()
    with fresh_database(request, folder) as url:
        app = create_app(
            {
                **BASE,
                "DATABASE_URL": url,
                "REDIS_URL": shared_broker.url,
                "STORAGE_URL": str(folder / "files"),
                "MAIL_PORT": 1,
                "INBOX_PATH": str(folder / "inbox"),
                "MAX_CONTENT_LENGTH": 1024 * 1024,
            }
        )
        yield Site(app, folder)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def browser(site: Site) -> Browser:
    """Ada's browser, signed in."""
    return Browser(site.app, site.ada)


@pytest.fixture
def visitor(site: Site) -> Browser:
    """The browser of somebody who has not signed in."""
    return Browser(site.app)
