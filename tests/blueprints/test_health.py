"""For whoever watches: alive, ready, and honest about what is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Person
from tests.servers import Broker


@pytest.fixture
def without_redis(broker: Broker) -> Iterator[None]:
    broker.stop()
    yield
    broker.start()


def test_all_is_well(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok", "database": "ok", "redis": "ok"}


def test_without_redis_it_is_degraded_and_ready_all_the_same(
    client: FlaskClient, app: Flask, ada: Person, without_redis: None
) -> None:
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "degraded", "database": "ok", "redis": "away"})
    answer = client.post("/api/v1/jobs/data.process", json={"data": 1}, headers=ada.headers)
    assert (answer.status_code, (answer.json or {})["state"]) == (202, "queued")


def test_without_redis_people_can_sign_in_and_are_still_limited(
    make_app: Callable[..., Flask], broker: Broker, without_redis: None
) -> None:
    client = make_app(RATELIMIT_ENABLED=True).test_client()
    token = client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "email": "nobody@example.com", "password": ""}
    answers = [client.post("/login", data=form).status_code for _ in range(11)]
    assert (answers[0], answers[-1]) == (422, 429)


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/gone", "sqlite:////nowhere/at/all.db"])
def test_without_a_database_it_is_not_ready_and_says_when_to_ask_again(
    make_app: Callable[..., Flask], url: str
) -> None:
    client = make_app(DATABASE_URL=url).test_client()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "5")
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nothing_private_is_said(client: FlaskClient, app: Flask, path: str) -> None:
    text = client.get(path).text
    assert not [word for word in ("127.0.0.1", "sqlite", "postgres", app.config["SECRET_KEY"]) if word in text]
