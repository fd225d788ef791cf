"""The database itself lets the same file be mailed once with a template, unless somebody says so."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from tests.queue.acting import Errands
from tests.queue.ground import ground, owner
from tests.queue.rows import OWNER, accept
from webapi.models import Job, Mailing, Template, TemplateVersion, Upload
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")


def put(table: Any, **values: Any) -> None:
    with writing() as session:
        session.execute(insert(table).values(**values))


@pytest.fixture
def values(owner: object) -> dict[str, Any]:
    """A mailing but for its id."""
    template_id, upload_id = uuid4(), uuid4()
    put(Template, id=template_id, owner_id=OWNER, name="a")
    for version in (1, 2):
        put(TemplateVersion, template_id=template_id, version=version, subject="s", html="", text="", layout=True)
    file = {"name": "a.csv", "sha256": "0" * 64, "size": 1, "media_type": "text/csv"}
    put(Upload, id=upload_id, owner_id=OWNER, **file)
    return {
        "owner_id": OWNER, "template_id": template_id, "template_version": 1, "sender": "us@example.com",
        "upload_id": upload_id, "file_name": "a.csv", "file_sha256": "0" * 64, "state": "sending",
    }  # fmt: skip


def mailing(values: dict[str, Any], **changes: Any) -> UUID:
    job_id = accept("errand.hold", Errands(acts=[]))
    put(Mailing, **{"id": job_id, **values, **changes})
    return job_id


@pytest.mark.parametrize("state", ["checking", "faulty", "checked", "sending"])
def test_each_state_that_is_known_is_taken(values: dict[str, Any], state: str) -> None:
    mailing(values, state=state)


@pytest.mark.parametrize(
    "changes",
    [{"state": "sent"}, {"state": "SENDING"}, {"state": None}, {"template_version": 3}, {"template_id": uuid4()},
     {"upload_id": uuid4()}, {"owner_id": uuid4()}, {"id": uuid4()}],
)  # fmt: skip
def test_a_strange_one_is_refused(values: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        mailing(values, **changes)


def test_the_same_file_with_the_same_template_is_sent_once(values: dict[str, Any]) -> None:
    mailing(values)
    for changes in ({}, {"template_version": 2}, {"file_name": "b.csv"}, {"sender": "other@example.com"}):
        with pytest.raises(IntegrityError):
            mailing(values, **changes)


@pytest.mark.parametrize(
    "changes", [{"again": True}, {"state": "checked"}, {"state": "faulty"}, {"file_sha256": "1" * 64}]
)
def test_another_file_or_one_that_is_meant_is_taken(values: dict[str, Any], changes: dict[str, Any]) -> None:
    mailing(values)
    mailing(values, **changes)
    mailing(values, state="checking")


def test_the_second_of_two_that_wait_is_refused_when_it_is_to_be_sent(values: dict[str, Any]) -> None:
    first, second = mailing(values, state="checked"), mailing(values, state="checked")
    with writing() as session:
        session.execute(update(Mailing).where(Mailing.id == first).values(state="sending"))
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(update(Mailing).where(Mailing.id == second).values(state="sending"))


def test_with_its_job_goes_a_mailing_and_its_file_may_be_sent_again(values: dict[str, Any]) -> None:
    job_id = mailing(values)
    with writing() as session:
        session.execute(delete(Job).where(Job.id == job_id))
    mailing(values)
