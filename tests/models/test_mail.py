"""The database itself refuses two of a name, and what belongs to nobody."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from tests.queue.ground import ground, owner
from tests.queue.rows import OWNER, add_owner
from webapi.extensions import db
from webapi.models import Sender, Suppression, Template, TemplateVersion, User
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")
OTHER = UUID("01900000-0000-7000-8000-00000000eee0")
SUPPRESSION = {"owner_id": OWNER, "address": "bob@example.com", "reason": "manual"}


def put(table: Any, **values: Any) -> None:
    with writing() as session:
        session.execute(insert(table).values(**values))


def template(name: str = "a", owner_id: UUID = OWNER) -> UUID:
    template_id = uuid4()
    put(Template, id=template_id, owner_id=owner_id, name=name)
    return template_id


def test_a_template_has_its_name_alone() -> None:
    add_owner(OTHER, "eve@example.com")
    template()
    template(owner_id=OTHER)
    with pytest.raises(IntegrityError):
        template()


def test_a_version_is_there_once_and_of_a_template() -> None:
    version = {"template_id": template(), "version": 1, "subject": "s", "html": "", "text": "", "layout": True}
    put(TemplateVersion, **version)
    for changes in ({}, {"template_id": uuid4()}):
        with pytest.raises(IntegrityError):
            put(TemplateVersion, **{**version, **changes})


def test_a_sender_is_there_once_for_its_owner() -> None:
    add_owner(OTHER, "eve@example.com")
    for owner_id in (OWNER, OTHER):
        put(Sender, id=uuid4(), owner_id=owner_id, address="boss@corp.example")
    with pytest.raises(IntegrityError):
        put(Sender, id=uuid4(), owner_id=OWNER, address="boss@corp.example")


@pytest.mark.parametrize("reason", ["manual", "bounce", "unsubscribe"])
def test_an_address_is_suppressed_for_a_known_reason(reason: str) -> None:
    put(Suppression, **{**SUPPRESSION, "reason": reason})
    with pytest.raises(IntegrityError):
        put(Suppression, **SUPPRESSION)


@pytest.mark.parametrize("changes", [{"reason": "spam"}, {"reason": "MANUAL"}, {"reason": ""}, {"reason": None},
                                     {"owner_id": OTHER}, {"address": None}])  # fmt: skip
def test_any_other_reason_and_nobodys_address_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        put(Suppression, **{**SUPPRESSION, **changes})


def test_with_a_person_goes_all_that_was_theirs() -> None:
    put(TemplateVersion, template_id=template(), version=1, subject="s", html="", text="", layout=True)
    put(Sender, id=uuid4(), owner_id=OWNER, address="boss@corp.example")
    put(Suppression, **SUPPRESSION)
    with writing() as session:
        session.delete(session.get_one(User, OWNER))
    tables = (Template, TemplateVersion, Sender, Suppression)
    assert [db.session.scalar(select(func.count()).select_from(table)) for table in tables] == [0] * 4
