"""API keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import Person
from webapi.errors import Invalid, NotFound
from webapi.extensions import db
from webapi.models import ApiKey, Scope
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services import holders, keys, trail

pytestmark = pytest.mark.usefixtures("context")


def test_a_key_belongs_to_its_owner_and_is_not_kept(ada: Person) -> None:
    found = holders.find(ada.key)
    assert found is not None
    assert found.id == ada.id
    row = db.session.scalars(select(ApiKey)).one()
    assert ada.key.rpartition("_")[2] not in f"{row.secret_hash}{row.prefix}"
    assert ada.key.endswith(row.last_four)


def test_a_revoked_key_is_worth_nothing_at_once(ada: Person) -> None:
    (row,) = keys.of(ada.row)
    keys.revoke(ada.row, row.id)
    assert holders.find(ada.key) is None
    assert keys.of(ada.row) == []


def test_nobody_revokes_a_key_of_somebody_else(ada: Person, eve: Person) -> None:
    (row,) = keys.of(ada.row)
    with pytest.raises(NotFound):
        keys.revoke(eve.row, row.id)
    assert holders.find(ada.key) is not None


CHANGES: list[Callable[[str], str]] = [
    lambda key: key[:-1] + "x",
    lambda key: key + "0",
    lambda key: "",
    str.upper,
    lambda key: key.replace("_", "\0"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_anything_but_the_key_itself_is_nobody(ada: Person, change: Callable[[str], str]) -> None:
    assert holders.find(change(ada.key)) is None


def test_the_last_use_is_noted(ada: Person) -> None:
    holders.find(ada.key)
    assert db.session.scalars(select(ApiKey)).one().last_used_at is not None


def test_a_test_key_says_what_it_is_and_works_like_the_other(ada: Person) -> None:
    token = keys.create(ada.row, "trial", test=True)
    found = holders.find(token)
    assert found is not None
    assert (found.id, found.is_test) == (ada.id, True)
    assert {row.name: row.is_test for row in keys.of(ada.row)} == {"tests": False, "trial": True}


def test_a_live_key_does_not_pass_for_a_test_key(ada: Person) -> None:
    """Nor the other way: the type is part of what is looked up."""
    assert holders.find(ada.key.replace("live", "test")) is None


def test_a_key_of_before_scopes_may_do_everything(ada: Person) -> None:
    (row,) = keys.of(ada.row)
    assert [row.allows(scope) for scope in Scope] == [True, True, True]


def test_a_key_may_do_what_it_was_made_for(ada: Person) -> None:
    row = holders.find(keys.create(ada.row, "x", scopes=[Scope.READ], kind="email.send"))
    assert row is not None
    assert ([row.allows(scope) for scope in Scope], row.only_kind) == ([False, True, False], "email.send")


def test_a_key_whose_time_is_over_is_worth_nothing(ada: Person) -> None:
    token = keys.create(ada.row, "x", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert holders.find(token) is not None
    with writing() as session:
        session.execute(update(ApiKey).values(expires_at=now()))
        holders.forget()
    assert holders.find(token) is None


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": []}, {"kind": "no.such"}, {"kind": "email.welcome"}, {"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}],
)
def test_a_key_that_could_do_nothing_is_not_made(ada: Person, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        keys.create(ada.row, "x", **wrong)


def test_the_trail_names_a_key_and_never_holds_it(ada: Person) -> None:
    token = keys.create(ada.row, "x", scopes=[Scope.READ])
    keys.revoke(ada.row, keys.of(ada.row)[0].id)
    lines = trail.of(ada.row, limit=2)
    assert [(line.what, line.on_what) for line in lines] == [
        ("key.revoked", token.rpartition("_")[0]),
        ("key.made", token.rpartition("_")[0]),
    ]
    assert token.rpartition("_")[2] not in str(lines)
