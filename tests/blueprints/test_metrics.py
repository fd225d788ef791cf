"""/metrics of the web server: for whoever has the token, for all of its processes, and never a private word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Person
from tests.scraping import figure, samples, scrape
from tests.waiting import until
from tests.web_server import web_server
from webapi.metrics import book

TOKEN = "the-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path) -> Iterator[Flask]:
    yield make_app(METRICS_TOKEN=TOKEN, METRICS_DIR=str(tmp_path / "metrics"))
    book.stop()


def test_without_a_token_that_is_set_there_is_nothing(make_app: Callable[..., Flask]) -> None:
    client = make_app().test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers=BEARER).status_code == 404
    assert book.folder() is None


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer "])
def test_without_the_token_it_is_shut(client: FlaskClient, header: str | None) -> None:
    answer = client.get("/metrics", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert "webapi_" not in answer.text


def test_neither_a_key_nor_a_query_opens_it(client: FlaskClient, ada: Person) -> None:
    assert client.get("/metrics", headers=ada.headers).status_code == 401
    assert client.get(f"/metrics?token={TOKEN}").status_code == 401


def test_requests_are_counted_by_the_rule_of_their_route(client: FlaskClient, ada: Person) -> None:
    client.get("/healthz")
    for path in ("/api/v1/suppressions/canary@private.example", "/canary@private.example", "/jobs?q=canary"):
        client.get(path, headers=ada.headers)
    client.open("/healthz", method="CANARY")
    client.post("/api/v1/jobs/data.process", json={"data": 1}, headers=ada.headers)
    answer = client.get("/metrics", headers=BEARER)
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = samples(answer.data)
    assert figure(found, "webapi_http_requests_total", route="/healthz", method="GET", status="200") == 1
    assert figure(found, "webapi_http_requests_total", route="none", status="404") == 1
    assert figure(found, "webapi_http_requests_total", route="none", method="other", status="405") == 1
    assert figure(found, "webapi_http_request_seconds_count", route="/healthz") == 1
    assert figure(found, "webapi_jobs_accepted_total", kind="data.process") == 1
    assert figure(found, "webapi_accept_seconds_count", kind="data.process") == 1
    assert figure(found, "webapi_hints_sent_total") == 1
    assert figure(found, "webapi_jobs", kind="data.process", state="queued") == 1
    assert "canary" not in answer.text.lower()


def test_a_batch_counts_each_of_its_jobs(client: FlaskClient, ada: Person) -> None:
    jobs = [{"data": each} for each in range(3)]
    answer = client.post("/api/v1/jobs/data.process/batch", json=jobs, headers=ada.headers)
    assert answer.status_code == 202, answer.text
    assert figure(client.get("/metrics", headers=BEARER).data, "webapi_jobs_accepted_total", kind="data.process") == 3


def test_the_processes_of_one_server_answer_for_each_other(app: Flask, tmp_path: Path) -> None:
    """Two processes of granian: whichever is asked tells of every request that either has answered."""
    with web_server(app, tmp_path / "web.log", processes=2) as server:

        def asked() -> float:
            return figure(scrape(server.port, TOKEN)[1], "webapi_http_requests_total", route="/healthz")

        for _ in range(40):
            assert server.get("/healthz") == 200
        until(lambda: asked() == 40, what="all 40 to be counted, whoever answers")
        folders = list((tmp_path / "metrics").iterdir())
        assert [path.name for path in folders] == [f"web-{server.process.pid}"]


def test_a_line_for_each_request_is_written_when_it_is_wanted(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(LOG_REQUESTS=True, WEBAPI_ENV="production")
    with web_server(app, tmp_path / "web.log") as server:
        assert server.get("/login?next=/canary@private.example", {"X-Request-ID": "the-request-1"}) == 200
        assert server.get("/healthz") == 200
    written = (tmp_path / "web.log").read_text()
    (line,) = [json.loads(each) for each in written.splitlines() if '"event": "request"' in each]
    told = {"method": "GET", "route": "/login", "status": 200, "request": "the-request-1", "level": "info"}
    assert told.items() <= line.items()
    assert "canary" not in written
