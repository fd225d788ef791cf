"""Sessions: a cookie is worth as much as its row, and a copy of it no more."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select, update

from tests.queue.rows import add_owner
from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import SignIn, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.services import sessions, trail

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
pytestmark = pytest.mark.usefixtures("owner")


def age(**columns: float) -> None:
    """Move moments of every session into the past, by so many seconds."""
    with writing() as session:
        session.execute(update(SignIn).values({name: after(-seconds) for name, seconds in columns.items()}))


def test_a_cookie_opens_its_persons_session_and_the_row_does_not_hold_it(owner: User) -> None:
    cookie = sessions.begin(owner, FIREFOX)
    found = sessions.find(cookie)
    assert found is not None
    assert (found[0].id, found[1].user_agent) == (owner.id, FIREFOX)
    assert cookie.partition(":")[2] not in str(vars(found[1]))


def test_a_copied_cookie_is_dead_when_its_owner_signs_out_and_other_sessions_live(owner: User) -> None:
    here, elsewhere = (sessions.begin(owner, FIREFOX) for _ in range(2))
    sessions.sign_out(here)
    assert sessions.find(here) is None
    assert sessions.find(elsewhere) is not None


@pytest.mark.parametrize("cookie", ["", ":", "x:0", "00000000-0000-0000-0000-000000000000:0", "\ud800:\ud800", "a:b:c"])
def test_a_made_up_cookie_is_nobody(cookie: str) -> None:
    assert sessions.find(cookie) is None


def test_the_token_of_one_person_opens_no_other(owner: User) -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    token = sessions.begin(owner, "").partition(":")[2]
    assert sessions.find(f"{eve.id}:{token}") is None


def test_a_session_that_begins_with_the_old_password_while_it_is_changed_is_dead(owner: User) -> None:
    """Its person was read before the change, and the row is written after it."""
    epoch = owner.session_epoch
    with writing() as session:
        sessions.end_all(session, owner.id)
    cookie = sessions.begin(owner, FIREFOX)
    with writing() as session:
        session.execute(update(SignIn).values(epoch=epoch))
    assert sessions.find(cookie) is None


def test_a_month_without_a_request_ends_it_and_its_row_goes(owner: User) -> None:
    cookie = sessions.begin(owner, FIREFOX)
    age(last_seen_at=sessions.IDLE + 60)
    assert sessions.find(cookie) is None
    sessions.begin(owner, FIREFOX)
    assert len(sessions.of(owner)) == 1


def test_being_seen_is_written_only_now_and_then(owner: User) -> None:
    cookie = sessions.begin(owner, FIREFOX)
    age(last_seen_at=sessions.SEEN - 60)
    before = db.session.scalars(select(SignIn.last_seen_at)).one()
    sessions.find(cookie)
    assert db.session.scalars(select(SignIn.last_seen_at)).one() == before
    age(last_seen_at=sessions.SEEN + 60)
    before = db.session.scalars(select(SignIn.last_seen_at)).one()
    sessions.find(cookie)
    assert db.session.scalars(select(SignIn.last_seen_at)).one() > before


def test_one_of_ones_own_can_be_ended_and_nobody_elses(owner: User) -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    cookie = sessions.begin(owner, FIREFOX)
    (row,) = sessions.of(owner)
    with pytest.raises(NotFound):
        sessions.end(eve, row.public_id)
    sessions.end(owner, row.public_id)
    assert sessions.find(cookie) is None
    assert [(line.what, line.detail) for line in trail.of(owner)] == [
        ("session.ended", {"browser": "Firefox on Linux"})
    ]


def test_all_others_are_ended_and_this_one_stays(owner: User) -> None:
    cookies = [sessions.begin(owner, FIREFOX) for _ in range(3)]
    sessions.end_others(owner, cookies[1])
    assert [sessions.find(cookie) is not None for cookie in cookies] == [False, True, False]


def test_a_password_counts_as_just_given_for_a_quarter_of_an_hour(owner: User) -> None:
    sessions.begin(owner, FIREFOX)
    (row,) = sessions.of(owner)
    assert sessions.is_confirmed(row)
    age(confirmed_at=sessions.CONFIRMED + 1)
    assert not sessions.is_confirmed(row)
    sessions.confirm(row)
    assert sessions.is_confirmed(row)


CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/142.0", "Edge on Windows"),
        (IPHONE, "Safari on iOS"),
        ("curl/8.5.0", "curl"),
        ("something of my own " * 9, ("something of my own " * 9)[:60]),
        ("", "an unknown browser"),
    ],
)
def test_a_browser_is_named_in_plain_words(user_agent: str, words: str) -> None:
    assert sessions.described(user_agent) == words
