"""Who holds a key: known for a second, and never longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, event, null, select, update

from tests.conftest import Person
from tests.web_server import web_server
from webapi.extensions import db
from webapi.models import ApiKey, Role, Scope, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services import accounts, holders, keys, own_account
from webapi.services.holders import KNOWN, MOST, RENEWED, Holder, Holders, Known

Make = Callable[..., Flask]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(app: Flask) -> Clock:
    clock = Clock()
    app.extensions["holders"] = Holders(clock)
    return clock


@contextmanager
def asked(app: Flask) -> Iterator[list[str]]:
    """The statements that the ledger is asked within the block."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        seen.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine, "before_cursor_execute", note)


def looks(statements: list[str]) -> int:
    return sum("api_keys" in each and each.startswith("SELECT") for each in statements)


def status(app: Flask, key: str) -> int:
    """What this process answers to a job that comes with the key."""
    headers = {"Authorization": f"Bearer {key}"}
    return app.test_client().post("/api/v1/jobs/data.process", json={"data": 1}, headers=headers).status_code


def revoke(ada: Person) -> None:
    keys.revoke(ada.row, keys.of(ada.row)[0].id)


def change_key(**values: Any) -> None:
    with writing() as session:
        session.execute(update(ApiKey).values(**values))


def change_person(**values: Any) -> None:
    with writing() as session:
        session.execute(update(User).values(**values))


def remove(ada: Person) -> None:
    with writing() as session:
        session.execute(delete(User).where(User.id == ada.id))


CHANGES: dict[str, tuple[Callable[[Person], None], int]] = {
    "a key that was revoked": (revoke, 401),
    "a key whose time is over": (lambda ada: change_key(expires_at=now()), 401),
    "a person who was deleted": (remove, 401),
    "a person who is a viewer now": (lambda ada: accounts.set_role(ada.row, Role.VIEWER, "a test"), 403),
    "a person whose address is not confirmed": (lambda ada: change_person(verified_at=null()), 403),
    "a key for another kind": (lambda ada: change_key(kind="email.send"), 403),
    "a key that may only read": (lambda ada: change_key(scopes=Scope.READ.value), 403),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_one_process_changes_acts_in_another_within_a_second(
    app: Flask, make_app: Make, clock: Clock, ada: Person, change: str
) -> None:
    do, expected = CHANGES[change]
    assert status(app, ada.key) == 202
    elsewhere = make_app()
    with elsewhere.app_context():
        do(ada)
    clock.seconds += RENEWED / 2
    assert app.extensions["holders"].get(ada.key.rpartition("_")[0]) is not None  # it is known here, and believed
    clock.seconds += KNOWN - RENEWED / 2
    assert status(app, ada.key) == expected


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_answers_no_request_that_comes_a_second_after_its_key_was_revoked(
    app: Flask, ada: Person, tmp_path: Path
) -> None:
    with web_server(app, tmp_path / "web.log") as server:
        assert server.get("/api/v1/me", ada.headers) == 200
        with app.app_context():
            revoke(ada)
        revoked, began, answers = time.monotonic(), 0.0, []
        while began < revoked + KNOWN:
            began = time.monotonic()
            answers.append(server.get("/api/v1/me", ada.headers))
    assert answers[-1] == 401
    assert answers == sorted(answers)  # once it is refused it is not taken again


@pytest.mark.parametrize("change", ["a key that was revoked", "a person who is a viewer now"])
def test_where_it_was_changed_it_acts_at_once(app: Flask, clock: Clock, ada: Person, change: str) -> None:
    do, expected = CHANGES[change]
    assert status(app, ada.key) == 202
    with app.app_context():
        do(ada)
    assert status(app, ada.key) == expected


def test_a_deleted_account_has_no_keys_at_once(app: Flask, clock: Clock, ada: Person) -> None:
    assert status(app, ada.key) == 202
    with app.app_context():
        own_account.delete_account(ada.row)
    assert status(app, ada.key) == 401


def test_the_ledger_is_asked_once_for_many_requests(app: Flask, clock: Clock, ada: Person) -> None:
    with asked(app) as statements:
        found = [holders.find(ada.key) for _ in range(10)]
    assert [each and each.id for each in found] == [ada.id] * 10
    assert looks(statements) == 1


def test_one_request_asks_anew_while_the_others_go_on(app: Flask, clock: Clock, ada: Person) -> None:
    with app.app_context():
        holders.find(ada.key)
    known, prefix = app.extensions["holders"], ada.key.rpartition("_")[0]
    clock.seconds += RENEWED
    assert known.get(prefix) is None  # this one asks
    assert known.get(prefix) is not None
    clock.seconds += KNOWN - RENEWED
    assert [known.get(prefix) for _ in range(2)] == [None, None]  # it asked in vain, and nobody believes any more


def test_who_knows_the_public_part_of_a_known_key_is_nobody(app: Flask, clock: Clock, ada: Person) -> None:
    with app.app_context():
        assert holders.find(ada.key) is not None
        assert holders.find(ada.key[:-1] + ("0" if ada.key[-1] != "0" else "1")) is None
        assert holders.find(ada.key.replace("live", "test")) is None


def test_a_test_key_is_one_after_a_live_key_of_the_same_person(app: Flask, clock: Clock, ada: Person) -> None:
    with app.app_context():
        trial = keys.create(ada.row, "trial", test=True)
        found = [holders.find(token) for token in (ada.key, trial, ada.key, trial)]
    assert [each and each.is_test for each in found] == [False, True, False, True]


def test_the_secret_of_a_key_is_not_kept(app: Flask, clock: Clock, ada: Person) -> None:
    with app.app_context():
        holders.find(ada.key)
    kept = str(vars(app.extensions["holders"]))
    assert ada.key.rpartition("_")[0] in kept
    assert ada.key.rpartition("_")[2] not in kept


def test_a_process_with_another_secret_key_knows_the_same_keys(make_app: Make, ada: Person) -> None:
    other = make_app(SECRET_KEY="another-key-of-the-tests-that-is-long-enough")
    assert status(other, ada.key) == 202


def test_the_use_is_noted_once_a_minute(app: Flask, clock: Clock, ada: Person) -> None:
    with asked(app) as statements:
        for _ in range(3):
            holders.find(ada.key)
            clock.seconds += KNOWN
        assert db.session.scalars(select(ApiKey.last_used_at)).one() is not None
    assert looks(statements) == 4
    assert sum("UPDATE api_keys" in each for each in statements) == 1


def test_a_wrong_secret_notes_no_use(app: Flask, clock: Clock, ada: Person) -> None:
    with app.app_context():
        holders.find(ada.key.rpartition("_")[0] + "_" + "0" * 64)
        assert db.session.scalars(select(ApiKey.last_used_at)).one() is None


def test_a_process_remembers_only_so_many(ada: Person) -> None:
    known, holder = Holders(Clock()), Holder(ada.id, "", Role.USER, None, "UTC", frozenset(), None, False)
    for number in range(MOST + 1):
        known.put(str(number), Known(1000.0, "", None, holder))
    assert known.get("0") is None
    assert known.get(str(MOST)) is not None
