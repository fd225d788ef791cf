"""The same request under the same key is one job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import IdempotencyKey, Job
from webapi.models.columns import after
from webapi.models.transaction import writing


@pytest.fixture
def ada(app: Flask) -> Person:
    return Person(app, "ada@example.com")


@pytest.fixture
def eve(app: Flask) -> Person:
    return Person(app, "eve@example.com")


KEY = "9b2f4c1e-aaaa-bbbb-cccc-1234567890ab"


def post(app: Flask, person: Person, data: Any, *, key: str = KEY, query: str = "") -> TestResponse:
    headers = {**person.headers, "Idempotency-Key": key}
    return app.test_client().post(f"/api/v1/jobs/data.process{query}", json={"data": data}, headers=headers)


def jobs(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Job)) or 0


def test_asking_again_answers_with_the_first_job(app: Flask, ada: Person) -> None:
    first, second = post(app, ada, [1]), post(app, ada, [1])
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.get_json()["id"] == second.get_json()["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert jobs(app) == 1


@pytest.mark.parametrize(("data", "query"), [([2], ""), ([1], "?delay=5"), ([1], "?priority=3")])
def test_another_request_under_the_same_key_is_refused(app: Flask, ada: Person, data: Any, query: str) -> None:
    post(app, ada, [1])
    answer = post(app, ada, data, query=query)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_reused")
    assert jobs(app) == 1


def test_a_key_belongs_to_its_owner(app: Flask, ada: Person, eve: Person) -> None:
    assert post(app, ada, [1]).get_json()["id"] != post(app, eve, [1]).get_json()["id"]


def test_sixteen_requests_at_once_make_one_job(app: Flask, ada: Person) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: post(app, ada, [1]), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert jobs(app) == 1


def test_a_key_is_forgotten_after_a_week(app: Flask, ada: Person) -> None:
    first = post(app, ada, [1])
    with app.app_context(), writing() as session:
        session.execute(update(IdempotencyKey).values(expires_at=after(-1)))
    assert post(app, ada, [2]).get_json()["id"] != first.get_json()["id"]


@pytest.mark.parametrize("key", ["short", "x" * 256, "with space in it", "ümläut-ümläut"])
def test_a_key_of_the_wrong_shape_is_refused(app: Flask, ada: Person, key: str) -> None:
    answer = post(app, ada, [1], key=key)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed")


def test_a_form_sent_twice_is_one_job(client: FlaskClient, ada: Person, app: Flask) -> None:
    page = client.get("/login").get_data(as_text=True)
    client.post("/login", data={"email": ada.email, "password": ada.password, "csrf_token": hidden(page, "csrf_token")})
    page = client.get("/new/data.process").get_data(as_text=True)
    sent = {name: hidden(page, name) for name in ("csrf_token", "nonce")} | {"data": "[1]"}
    first, second = client.post("/new/data.process", data=sent), client.post("/new/data.process", data=sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert jobs(app) == 1
    assert client.post("/new/data.process", data={**sent, "data": "[2]"}).status_code == 422


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]
