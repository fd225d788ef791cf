"""The audit trail: an entry and its act are there together or not at all."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import update
from structlog.contextvars import bound_contextvars

from tests.queue.rows import OWNER, add_owner
from webapi.models import TrailEntry, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.services import trail

pytestmark = pytest.mark.usefixtures("owner")


def test_an_entry_says_who_did_what_on_what_and_in_which_request(owner: User) -> None:
    with bound_contextvars(request="request-4711"):
        trail.note("key.made", user_id=owner.id, on_what="wapi_live_0123", scopes="read")
    (line,) = trail.latest(5)
    assert (line.who, line.what, line.on_what) == ("ada@example.com", "key.made", "wapi_live_0123")
    assert (line.detail, line.request_id, line.sentence) == ({"scopes": "read"}, "request-4711", "An API key was made")


def test_what_did_not_happen_is_not_in_it(owner: User) -> None:
    with pytest.raises(RuntimeError), writing():
        trail.note("password.changed", user_id=owner.id)
        raise RuntimeError
    assert trail.latest(5) == []


def test_everybody_sees_what_is_about_them_and_administrators_all(owner: User) -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    trail.note("role.changed", user_id=owner.id, actor=trail.COMMAND_LINE)
    trail.note("kind.paused", actor=trail.by(eve.id), on_what="email.send")
    assert [line.who for line in trail.of(owner)] == ["command line"]
    assert trail.of(eve) == []
    assert [line.who for line in trail.latest(5)] == ["eve@example.com", "command line"]


def test_it_is_read_page_by_page(owner: User) -> None:
    for _ in range(5):
        trail.note("session.ended", user_id=owner.id)
    first = trail.latest(3)
    rest = trail.latest(3, before=first[-1].id)
    assert (len(first), len(rest)) == (3, 2)
    assert not {line.id for line in first} & {line.id for line in rest}


@pytest.mark.parametrize("user_id", [OWNER, None])
def test_what_happens_often_is_counted_and_begins_anew_after_an_hour(owner: User, user_id: object) -> None:
    whose = owner.id if user_id else None
    for _ in range(4):
        trail.count("sign_in.failed", user_id=whose)
    assert [line.count for line in trail.latest(5)] == [4]
    with writing() as session:
        session.execute(update(TrailEntry).values(at=after(-trail.COUNTED_FOR - 1)))
    trail.count("sign_in.failed", user_id=whose)
    assert [line.count for line in trail.latest(5)] == [1, 4]


def test_it_outlives_the_account(owner: User) -> None:
    trail.note("account.deleted", user_id=owner.id)
    with writing() as session:
        session.delete(owner)
    assert [line.who for line in trail.latest(5)] == [trail.by(OWNER)]


def test_a_word_that_nobody_explained_is_refused() -> None:
    with pytest.raises(ValueError, match="say there what it means"):
        trail.note("something.else")
