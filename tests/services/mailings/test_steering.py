"""What people do to a mailing holds, also when the one who did it died half-way."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from tests.queue.rows import OWNER
from tests.services.mailings.ground import mailing, over, parts, people, run, submit, template
from tests.smtp_server import SmtpServer
from webapi.errors import Conflict
from webapi.models import EffectState, Mailing, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import jobs
from webapi.services.mail import suppressions
from webapi.services.mailings import releasing, steering, watching

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture(autouse=True)
def _template(owner: object) -> None:
    template()


def test_a_cancel_that_died_before_it_came_to_the_parts_holds_all_the_same(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(250), confirm="now")
    work(kind_named("email.spread"))
    with writing() as session:
        session.execute(update(Mailing).where(Mailing.id == mailing_id).values(cancelled_at=now()))
    run(mailing_id)
    assert (mail_server.stored, over(mailing_id)) == ([], True)
    assert {job.state for job in parts(mailing_id)} == {"cancelled"}
    assert steering.send_again(mailing(mailing_id), "a test") == 2
    run(mailing_id)
    assert len(mail_server.stored) == 250


def test_no_mail_of_a_cancelled_mailing_is_released(mail_server: SmtpServer, owner: User) -> None:
    """Its part would run again, and mail everybody in it who was spared by the cancel."""
    row = mailing(submit(people(3)))
    suppressions.add(OWNER, "person0@example.com", "manual")
    steering.confirm(row)
    run(row.id)
    steering.cancel(mailing(row.id), "a test")
    (held,) = watching.mails(row, [EffectState.HELD])
    with pytest.raises(Conflict, match="cancelled"):
        steering.settle(owner, mailing(row.id), held.id, "release")
    with pytest.raises(Conflict, match="cancelled"):
        releasing.release(owner, mailing(row.id), [held.id])
    jobs.release(owner, held.job_id, [held.id])  # by its part's own page
    run(row.id)
    assert len(mail_server.stored) == 2
