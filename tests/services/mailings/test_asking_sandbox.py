"""A mailing of the sandbox is only played, so it stands in the way of none that is meant."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask

from tests.queue.rows import OWNER
from tests.services.mailings.ground import mailing, people, run, template, upload
from tests.smtp_server import SmtpServer
from webapi.extensions import db
from webapi.models import User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import jobs
from webapi.services.mailings import watching
from webapi.tasks.email_bulk import Bulk

pytestmark = pytest.mark.usefixtures("owner")


def mailed(*, sandbox: bool, **options: object) -> UUID:
    """The id of a mailing that came through a door and is over."""
    bulk = Bulk.model_validate({"template": "invoice", "recipients": upload(people(3)), "confirm": "now", **options})
    job = jobs.submit(db.session.get_one(User, OWNER), kind_named("email.bulk"), bulk, sandbox=sandbox)
    job_id = job.id
    work(kind_named("email.bulk"))
    run(job_id)
    return job_id


def test_a_file_that_was_tried_in_the_sandbox_can_be_meant_afterwards(mail_server: SmtpServer) -> None:
    template()
    played, tried_again = mailed(sandbox=True), mailed(sandbox=True)
    assert mail_server.stored == []
    assert [watching.standing(mailing(each)).delivered for each in (played, tried_again)] == [3, 3]
    meant = mailed(sandbox=False)
    assert watching.standing(mailing(meant)).delivered == len(mail_server.stored) == 3


def test_played_mails_count_towards_no_limit(mail_server: SmtpServer, ground: Flask) -> None:
    template()
    limit = ground.config["MAIL_PER_RECIPIENT"]
    ground.config["MAIL_PER_RECIPIENT"] = 1
    try:
        mailed(sandbox=True)
        meant = mailed(sandbox=False)
        again = mailed(sandbox=False, again=True)
    finally:
        ground.config["MAIL_PER_RECIPIENT"] = limit
    assert [watching.standing(mailing(each)).held for each in (meant, again)] == [0, 3]
    assert len(mail_server.stored) == 3
