"""People: created with their welcome mail, never told apart from strangers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import Person
from tests.servers import Broker
from webapi.errors import Forbidden, NotFound
from webapi.extensions import db
from webapi.models import Effect, Job, User
from webapi.models.transaction import writing
from webapi.services import accounts

pytestmark = pytest.mark.usefixtures("context")
PASSWORD = "a long enough one"


def kinds() -> list[str]:
    return list(db.session.scalars(select(Job.kind).order_by(Job.id)))


def test_a_person_and_their_welcome_mail_are_one_transaction(broker: Broker) -> None:
    with pytest.raises(RuntimeError), writing():
        accounts.create("grace@example.com", "Grace", PASSWORD)
        raise RuntimeError
    assert (db.session.scalar(select(func.count()).select_from(User)), kinds()) == (0, [])
    assert broker.client().llen("{webapi}:email") == 0
    accounts.register("grace@example.com", "Grace", PASSWORD)
    assert kinds() == ["email.welcome"]
    assert broker.client().llen("{webapi}:email") == 1


def test_an_address_that_is_taken_makes_no_second_person_and_tells_its_owner(ada: Person) -> None:
    accounts.register("ADA@example.com", "Somebody", PASSWORD)
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert kinds() == ["email.taken"]


def test_registration_can_be_closed(make_app: Callable[..., Flask]) -> None:
    with make_app(REGISTRATION="closed").app_context(), pytest.raises(Forbidden):
        accounts.register("grace@example.com", "Grace", PASSWORD)


def test_signing_in_needs_the_right_password(ada: Person) -> None:
    assert accounts.authenticate("Ada@example.com", ada.password) is not None
    assert accounts.authenticate("ada@example.com", "wrong") is None
    assert accounts.authenticate("nobody@example.com", ada.password) is None


@pytest.mark.parametrize("token", ["", "x", "WyJ4Il0.x.y"])
def test_a_made_up_link_confirms_nothing(token: str) -> None:
    with pytest.raises(NotFound):
        accounts.verify(token)


def test_the_payload_of_the_welcome_mail_holds_no_address() -> None:
    accounts.register("grace@example.com", "Grace", PASSWORD)
    job = db.session.scalars(select(Job)).one()
    assert "grace" not in str(job.payload)
    assert db.session.scalars(select(Effect)).all() == []
