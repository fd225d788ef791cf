"""A job's page, live, by a real server: what is sent, when it ends, who may watch, and how many."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests.blueprints.site import Browser
from tests.conftest import BASE, Person
from tests.queue.rows import change
from tests.servers import Broker
from tests.sse import Watcher
from tests.waiting import until
from tests.web_server import WebServer, web_server
from webapi import create_app
from webapi.blueprints.live import HEARTBEAT, LONGEST
from webapi.extensions import db
from webapi.models import State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.services import jobs, sessions
from webapi.tasks.email_send import Email

PLACES = 3


class Served:
    """An app, the server of it, and Ada."""

    def __init__(self, app: Flask, server: WebServer) -> None:
        self.app, self.server = app, server
        self.ada, self.eve = Person(app, "ada@example.com"), Person(app, "eve@example.com")

    def job(self) -> UUID:
        with self.app.app_context():
            mail = Email(to=["bob@example.com"], subject="s", text="t")
            job_id: UUID = jobs.submit(self.ada.row, kind_named("email.send"), mail).id
            return job_id

    def watch(self, job_id: UUID, **headers: str) -> Watcher:
        return Watcher(self.server.port, f"/jobs/{job_id}/live", headers or self.ada.headers)

    def admitted(self, job_id: UUID) -> Watcher | None:
        """A watcher, if there is a place: one that has left is noticed at the next sign of life."""
        watcher = self.watch(job_id)
        if watcher.answer.status == 200:
            return watcher
        watcher.close()
        return None

    def change(self, job_id: UUID, **values: Any) -> None:
        with self.app.app_context():
            change(job_id, **values)

    def finish(self, job_id: UUID) -> None:
        self.change(job_id, state=State.SUCCEEDED, finished_at=now(), lease_until=None)

    def run(self, job_id: UUID, percent: int) -> None:
        self.change(job_id, state=State.RUNNING, lease_until=now(), progress=percent, progress_note=f"at {percent}")

    def status(self, path: str) -> int:
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=20)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status


@pytest.fixture(scope="module")
def served(sqlite_template: Path, shared_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(sqlite_template, folder / "webapi.db")
    app = create_app(
        {
            **BASE,
            "DATABASE_URL": f"sqlite:///{folder / 'webapi.db'}",
            "REDIS_URL": shared_broker.url,
            "STORAGE_URL": str(folder / "files"),
            "LIVE_WATCHERS": PLACES,
            "WEB_THREADS": 2,
        }
    )
    with web_server(app, folder / "web.log", threads=2 + PLACES) as server:
        yield Served(app, server)
    with app.app_context():
        db.engine.dispose()


def test_a_watcher_is_sent_the_page_then_what_changes_and_then_that_it_is_over(served: Served) -> None:
    job_id = served.job()
    with closing(served.watch(job_id)) as watcher:
        assert watcher.answer.status == 200
        assert watcher.answer.getheader("Content-Type", "").startswith("text/event-stream")
        assert watcher.answer.getheader("Cache-Control") == "no-store"
        events = watcher.events()
        first = next(events)
        assert '<span class="state queued">' in first.text
        assert 'hx-trigger="every 30s"' in first.text
        served.run(job_id, 12)
        running = next(events)
        assert 'value="12"' in running.text
        assert '<span class="state running">' in running.text
        served.change(job_id, progress=15)
        progress = next(events)
        assert progress.text.startswith("<hx-partial")
        assert 'value="15"' in progress.text
        served.change(job_id, progress=30)
        assert '<div id="job">' in next(events).text
        served.finish(job_id)
        last, over = list(events)
        assert '<span class="state succeeded">' in last.text
        assert "hx-trigger" not in last.text
        assert (over.name, over.data) == ("over", [""])
        assert len({first.id, running.id, progress.id, last.id}) == 4


def test_who_comes_back_is_not_sent_again_what_they_know(served: Served) -> None:
    job_id = served.job()
    with closing(served.watch(job_id)) as watcher:
        known = next(watcher.events()).id
    with closing(served.watch(job_id, **served.ada.headers, **{"Last-Event-ID": known})) as again:
        events = again.events()
        served.finish(job_id)
        assert [event.name for event in events] == ["", "over"]


def test_a_job_that_is_over_ends_its_stream_at_once(served: Served) -> None:
    job_id = served.job()
    served.finish(job_id)
    with closing(served.watch(job_id)) as watcher:
        assert [event.name for event in watcher.events()] == ["", "over"]


def test_signs_of_life_are_sent_while_nothing_changes(served: Served) -> None:
    with closing(served.watch(served.job())) as watcher:
        next(watcher.events())
        assert watcher.comment() == ":\n"


def test_when_the_session_is_ended_so_is_the_stream(served: Served) -> None:
    cookie = Browser(served.app, served.ada).client.get_cookie("session")
    assert cookie is not None
    job_id = served.job()
    with closing(served.watch(job_id, Cookie=f"session={cookie.value}")) as watcher:
        events = watcher.events()
        assert next(events).data
        with served.app.app_context(), writing() as session:
            sessions.end_all(session, served.ada.id)
        served.run(job_id, 50)
        assert [event.name for event in events] == ["over"]


@pytest.mark.parametrize("who", ["eve", "nobody"])
def test_nobody_else_may_watch(served: Served, who: str) -> None:
    headers = served.eve.headers if who == "eve" else {"X-Nobody": "1"}
    with closing(served.watch(served.job(), **headers)) as watcher:
        assert watcher.answer.status == {"eve": 404, "nobody": 401}[who]


@pytest.mark.soak
def test_after_a_while_a_watcher_has_to_come_back(served: Served) -> None:
    """Else a server that is to stop would wait for ever."""
    with closing(served.watch(served.job())) as watcher:
        began = time.monotonic()
        assert [event.name for event in watcher.events()] == [""]
        assert LONGEST < time.monotonic() - began < LONGEST + 2 * HEARTBEAT


def test_asking_for_the_headers_alone_takes_no_place(served: Served) -> None:
    job_id = served.job()
    with closing(HTTPConnection("127.0.0.1", served.server.port, timeout=20)) as connection:
        for _ in range(2 * PLACES):
            connection.request("HEAD", f"/jobs/{job_id}/live", headers=served.ada.headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200


def test_beyond_the_cap_a_watcher_is_sent_away_and_the_other_pages_answer(served: Served) -> None:
    job_id = served.job()
    watchers = [until(lambda: served.admitted(job_id), what="the places of those before") for _ in range(PLACES)]
    try:
        with closing(served.watch(job_id)) as late:
            assert (late.answer.status, late.answer.getheader("Retry-After")) == (503, "30")
        assert [served.status("/healthz") for _ in range(10)] == [200] * 10
    finally:
        for watcher in watchers:
            watcher.close()
    until(lambda: served.admitted(job_id), seconds=4 * HEARTBEAT, what="the places of those who left").close()
