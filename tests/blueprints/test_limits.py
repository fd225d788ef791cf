"""How often somebody may ask, and what the answers say about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.conftest import Person
from tests.servers import Broker
from webapi.services import keys

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ME = "/api/v1/me"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(REQUESTS_PER_MINUTE=3, REQUESTS_PER_MINUTE_ADDRESS=2, TRUSTED_PROXIES=1)


def statuses(app: Flask, count: int, path: str = ME, **headers: str) -> list[int]:
    client = app.test_client()
    return [client.get(path, headers=headers).status_code for _ in range(count)]


def test_each_answer_says_what_is_left_and_a_refusal_when_to_come_again(app: Flask, ada: Person) -> None:
    client = app.test_client()
    first, *_, last = [client.get(ME, headers=ada.headers) for _ in range(4)]
    assert first.headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert first.headers["RateLimit"].startswith('"minute";r=2;t=')
    assert (last.status_code, (last.json or {})["code"]) == (429, "rate_limited")
    assert last.mimetype == "application/problem+json"
    assert 0 < int(last.headers["Retry-After"]) <= 120
    assert last.headers["RateLimit"].startswith('"minute";r=0;t=')


def test_a_person_gets_a_page(app: Flask) -> None:
    client = app.test_client()
    answer = [client.get("/login", headers={"Accept": "text/html"}) for _ in range(3)][-1]
    assert (answer.status_code, answer.mimetype) == (429, "text/html")
    assert "Try again in" in answer.text


def test_keys_are_counted_by_themselves_and_not_by_their_address(app: Flask, ada: Person, eve: Person) -> None:
    assert statuses(app, 4, **ada.headers) == [200] * 3 + [429]
    assert statuses(app, 1, **eve.headers) == [200]
    with app.app_context():
        second = keys.create(ada.row, "another")
    assert statuses(app, 1, Authorization=f"Bearer {second}") == [200]


def test_false_keys_count_for_the_address_whichever_they_are(app: Flask, ada: Person) -> None:
    secret = ada.key[-1:]
    false = [ada.key[:-1] + ("0" if secret != "0" else "1"), "wapi_live_nonsense", "x"]
    answers = [statuses(app, 1, Authorization=f"Bearer {each}")[0] for each in false]
    assert answers == [401, 401, 429]
    assert statuses(app, 1, **ada.headers) == [200], "whoever shares the address goes on"


def test_addresses_are_those_that_a_trusted_proxy_names(app: Flask, make_app: Callable[..., Flask]) -> None:
    one, two = {"X-Forwarded-For": "9.9.9.9, 192.0.2.1"}, {"X-Forwarded-For": "9.9.9.9, 192.0.2.2"}
    assert statuses(app, 3, "/login", **one) == [200, 200, 429]
    assert statuses(app, 1, "/login", **two) == [200]
    alone = make_app(REQUESTS_PER_MINUTE_ADDRESS=2)
    assert [statuses(alone, 1, "/login", **{"X-Forwarded-For": f"192.0.2.{n}"})[0] for n in range(3)] == [200, 200, 429]


def test_an_ipv6_customer_is_one_however_many_addresses_they_have(app: Flask) -> None:
    far = [{"X-Forwarded-For": f"2001:db8:1:2::{n}"} for n in range(1, 4)]
    assert [statuses(app, 1, "/login", **each)[0] for each in far] == [200, 200, 429]
    assert statuses(app, 1, "/login", **{"X-Forwarded-For": "2001:db8:1:3::1"}) == [200]


def test_health_and_static_files_are_free(app: Flask) -> None:
    assert statuses(app, 5, "/healthz") == [200] * 5
    assert "RateLimit" not in app.test_client().get("/static/app.css").headers


def test_redis_learns_nobodys_address_or_key(app: Flask, ada: Person, broker: Broker) -> None:
    rates = app.extensions["rates"]
    for headers in ({}, ada.headers):
        statuses(app, 1, **headers)
    rates._next = 0
    statuses(app, 1, **ada.headers)
    names = str(broker.client().keys("*rate*"))
    assert "rate:" in names
    assert not [each for each in ("127.0.0.1", ada.key[:20], str(ada.id)) if each in names]
