"""Many jobs in one request, behind every door."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from tests.conftest import Person
from tests.services.system.crowd import statements
from webapi.errors import Forbidden, Invalid, QuotaReached, WebapiError
from webapi.models import Sender
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import Once, kind_named
from webapi.services import batches, storage
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording
from webapi.tasks.data_process import Data
from webapi.tasks.email_send import Email

ONCE = Once("batch", "the same key", "the same request")
GOOD, WRONG = Data(data=[1]), Invalid("This is not right.")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(MAX_OPEN_JOBS=3)


def given(count: int, *wrong: int) -> dict[int, BaseModel | WebapiError]:
    return {place: WRONG if place in wrong else GOOD for place in range(count)}


def test_what_is_refused_is_said_again_to_whoever_asks_again(app: Flask, ada: Person) -> None:
    with app.app_context():
        kind = kind_named("data.process")
        first = batches.submit(ada.row, kind, given(3, 1), partial=True, once=ONCE, tags=[])
        second = batches.submit(ada.row, kind, given(3), partial=True, once=ONCE, tags=[])
        assert (list(first.accepted), list(first.refused), first.replayed) == ([0, 2], [1], False)
        assert (second.accepted, second.replayed) == (first.accepted, True)
        assert second.refused[1].message == batches.EARLIER


def test_the_quota_is_for_the_whole_batch(app: Flask, ada: Person) -> None:
    with app.app_context():
        kind = kind_named("data.process")
        with pytest.raises(QuotaReached):
            batches.submit(ada.row, kind, given(4), tags=[])
        assert len(batches.submit(ada.row, kind, given(3), tags=[]).accepted) == 3


def test_without_partial_one_keeps_all_out(app: Flask, ada: Person) -> None:
    with app.app_context(), pytest.raises(Invalid, match="1 of the items"):
        batches.submit(ada.row, kind_named("data.process"), given(3, 2), tags=[])


def test_somebody_whose_address_is_not_confirmed_submits_none(app: Flask, ada: Person) -> None:
    with app.app_context():
        with writing():
            ada.row.verified_at = None
        with pytest.raises(Forbidden):
            batches.submit(ada.row, kind_named("data.process"), given(1), tags=[])


@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_what_the_items_have_in_common_is_asked_for_once(make_app: Callable[..., Flask], wrong: bool) -> None:
    """A template, a sender, a file: as many statements for fifty mails as for five."""
    app = make_app()
    person = Person(app, "grace@example.com")
    with app.app_context():
        templates.create(person.row, "invoice", Wording(subject="Hello", text="{{name}}"))
        with writing() as session:
            sender = Sender(id=uuid7(), owner_id=person.id, address="shop@example.com", name="Shop")
            sender.verified_at = now()
            session.add(sender)
        file = storage.receive(person.id, "a.csv", "text/csv", BytesIO(b"a\n1\n"))
        words = {"template": "no-such" if wrong else "invoice", "sender": "shop@example.com", "attachments": [file.id]}
        counts = []
        for count in (5, 50):
            mails = {each: Email(to=["bob@example.com"], values={"name": str(each)}, **words) for each in range(count)}
            asked: list[tuple[str, Any]] = []
            with statements(asked), suppress(Invalid):
                assert len(batches.submit(person.row, kind_named("email.send"), mails, tags=[]).accepted) == count
            counts.append(len(asked))
    assert counts[1] < counts[0] + 5 < 25, "some are for what the first batch left in the session"
