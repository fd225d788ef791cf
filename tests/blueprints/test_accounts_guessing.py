"""Guessing passwords: it slows down, it tells nothing, and it is counted."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask

from tests.blueprints.site import Browser
from tests.conftest import Person
from tests.servers import Broker
from webapi.extensions import db
from webapi.models import TrailEntry
from webapi.services import accounts

TOO_LONG = "x" * 1025  # refused before it is hashed, so that many tries take no time

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def slow(make_app: Callable[..., Flask], broker: Broker) -> Flask:
    """An app that counts tries."""
    return make_app(RATELIMIT_ENABLED=True)


def test_one_account_is_guessed_slowly_from_however_many_addresses(slow: Flask) -> None:
    browser = Browser(slow)
    token = browser.token()

    def guess(number: int, email: str = "nobody@example.com") -> int:
        form = {"csrf_token": token, "email": email, "password": TOO_LONG}
        around = {"REMOTE_ADDR": f"192.0.2.{number}"}
        return browser.client.post("/login", data=form, environ_overrides=around).status_code

    spelt = ["nobody@example.com", "Nobody@Example.com"]
    assert [guess(number, spelt[number % 2]) for number in range(21)] == [422] * 20 + [429]
    assert guess(30, "somebody.else@example.com") == 422


def test_resets_are_asked_for_three_times_an_hour_for_one_address(slow: Flask) -> None:
    browser = Browser(slow)
    answers = [browser.post("/reset", {"email": "ada@example.com"}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_guessing_the_password_of_a_stolen_session_slows_down_over_all_doors_together(slow: Flask) -> None:
    browser = Browser(slow, Person(slow, "ada@example.com"))
    doors: list[tuple[str, dict[str, str]]] = [
        ("/account/confirm", {"password": TOO_LONG}),
        ("/account/delete", {"password": TOO_LONG}),
        ("/account/password", {"current": TOO_LONG, "password": "another long one"}),
    ]
    token = browser.token()
    answers = [browser.client.post(path, data={"csrf_token": token, **form}).status_code for path, form in doors * 7]
    assert answers == [422] * 20 + [429]


def test_a_wrong_password_takes_as_long_for_nobody_as_for_somebody(app: Flask, ada: Person) -> None:
    """The least of several, so that a busy machine does not matter."""

    def least(email: str) -> float:
        spent = []
        for _ in range(5):
            began = time.perf_counter()
            assert accounts.authenticate(email, "wrong") is None
            spent.append(time.perf_counter() - began)
        return min(spent)

    with app.app_context():
        known, unknown = least(ada.email), least("nobody@example.com")
    assert 0.6 < known / unknown < 1.6


def test_wrong_passwords_are_counted_for_whom_they_were_meant(app: Flask, ada: Person) -> None:
    with app.app_context():
        for email in (ada.email, ada.email, "nobody@example.com"):
            accounts.authenticate(email, "wrong")
        query = db.select(TrailEntry.user_id, TrailEntry.count).where(TrailEntry.what == "sign_in.failed")
        rows = db.session.execute(query).all()
    assert {tuple(row) for row in rows} == {(ada.id, 2), (None, 1)}
