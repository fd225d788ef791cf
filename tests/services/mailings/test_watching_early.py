"""A mailing whose check came to nothing says so, and stands in no other's way."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import update

from tests.queue.rows import OWNER, accept, change, job
from tests.services.mailings.ground import mailing, people, submit, template, upload
from webapi.extensions import db
from webapi.models import Mailing, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.services import jobs
from webapi.services.mailings import watching
from webapi.tasks.email_bulk import Bulk

pytestmark = pytest.mark.usefixtures("owner")


def broken_off(state: str) -> UUID:
    """A mailing whose job ended before its file was checked, as one does that ran out of attempts."""
    mailing_id = submit(people(2))
    change(mailing_id, state=state, finished_at=now())
    with writing() as session:
        session.execute(update(Mailing).values(state="checking"))
    return mailing_id


@pytest.mark.parametrize(("state", "phase"), [("failed", "faulty"), ("expired", "faulty"), ("cancelled", "cancelled")])
def test_it_is_not_checking_for_ever(state: str, phase: str) -> None:
    template()
    assert watching.standing(mailing(broken_off(state))).phase == phase


def test_the_same_file_may_be_handed_in_again() -> None:
    template()
    broken_off("failed")
    bulk = Bulk(template="invoice", recipients=upload(people(2)))
    accepted = jobs.submit(db.session.get_one(User, OWNER), kind_named("email.bulk"), bulk)
    assert accepted.state == "queued"


@pytest.mark.parametrize(("state", "phase"), [("queued", "checking"), ("cancelled", "cancelled"), ("failed", "faulty")])
def test_before_it_began_its_job_says_where_it_is(state: str, phase: str) -> None:
    template()
    job_id = accept("email.bulk", Bulk(template="invoice@1", recipients=upload(people(2))))
    change(job_id, state=state, finished_at=None if state == "queued" else now())
    found = watching.unbegun(job(job_id))
    assert (found.phase, found.total, found.percent) == (phase, 0, 0)
    assert watching.among([job_id]) == {}
