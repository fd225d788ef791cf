"""What people do to a mailing holds, also when the one who did it died half-way."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from tests.queue.rows import OWNER
from tests.services.mailings.ground import mailing, over, parts, people, run, submit, template
from tests.smtp_server import SmtpServer
from tests.waiting import until
from webapi.errors import Conflict, QuotaReached
from webapi.extensions import db
from webapi.models import FINAL, EffectState, Job, Mailing, User
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import control, kind_named, quotas
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services import jobs
from webapi.services.mail import suppressions
from webapi.services.mailings import releasing, sending, steering, watching

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


def test_more_mails_than_are_left_today_are_not_confirmed(ground: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ground.config, "MAILS_PER_DAY", 4)
    mailing_id = submit(people(5))
    run(mailing_id)
    with pytest.raises(QuotaReached, match="These are 5 mails, and of your 4 a day 4 are left"):
        steering.confirm(mailing(mailing_id))
    assert mailing(mailing_id).state == "checked"
    monkeypatch.setitem(ground.config, "MAILS_PER_DAY", 5)
    steering.confirm(mailing(mailing_id))
    assert mailing(mailing_id).state == "sending"


def test_the_mails_of_all_mailings_of_a_day_are_counted_together(
    mail_server: SmtpServer, ground: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ground.config, "MAILS_PER_DAY", 4)
    first, second = submit(people(3)), submit(people(2))
    steering.confirm(mailing(first))
    with pytest.raises(QuotaReached, match="These are 2 mails, and of your 4 a day 1 are left"):
        steering.confirm(mailing(second))
    assert mailing(second).state == "checked"
    run(first)
    assert (len(mail_server.stored), quotas.mails_today(OWNER)) == (3, 3)


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


def spread_of(mailing_id: UUID) -> Job:
    db.session.rollback()
    query = select(Job).where(Job.parent_id == mailing_id, Job.kind == "email.spread").order_by(Job.id.desc())
    return db.session.scalars(query.execution_options(populate_existing=True)).first()  # type: ignore[return-value]


def test_rows_that_came_into_no_part_are_not_said_to_be_sent_for_ever(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(30), confirm="now")
    with writing() as session:
        control.cancel(session, spread_of(mailing_id).id, "a test")
    found = watching.standing(mailing(mailing_id))
    assert (found.phase, found.waiting) == ("done", 30)
    steering.send_again(mailing(mailing_id), "a test")
    assert watching.standing(mailing(mailing_id)).phase == "sending"
    run(mailing_id)
    assert (watching.standing(mailing(mailing_id)).phase, len(mail_server.stored)) == ("done", 30)


def test_parts_that_are_long_in_the_making_are_made_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TURN", 0.0)
    mailing_id = submit(people(45), confirm="now", rate=6)
    seen = []
    while spread_of(mailing_id).state not in FINAL:
        work(kind_named("email.spread"))
        wake_due()
        seen.append(len(parts(mailing_id)))
    assert (seen, spread_of(mailing_id).state) == ([20, 40, 45], "succeeded")


def test_a_cancel_and_a_part_that_ends_at_the_same_time_wait_for_each_other_in_one_order(ground: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    mailing_id = submit(people(450), confirm="now")
    work(kind_named("email.spread"))
    ids = [job.id for job in parts(mailing_id)]
    ended = threading.Event()

    def end_of_the_second() -> None:
        """As `finish` does it: the job first, and its owner's count after it."""
        with ground.app_context(), writing() as session:
            session.execute(select(Job.id).where(Job.id == ids[1]).with_for_update())
            until(lambda: _waiting() > 0, what="the cancel to wait for this job")
            control.cancel(session, ids[1], "a test")
        ended.set()

    other = threading.Thread(target=end_of_the_second)
    other.start()
    until(lambda: _locked(ids[1]), what="the second part to be ending")
    assert steering.cancel(mailing(mailing_id), "a test") == 2
    other.join()
    assert (ended.is_set(), over(mailing_id)) == (True, True)


def _waiting() -> int:
    with db.engine.connect() as connection:
        waits = "datname = current_database() AND wait_event_type = 'Lock'"
        return int(connection.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {waits}")).scalar_one())


def _locked(job_id: UUID) -> bool:
    with db.engine.connect() as connection:
        free = select(Job.id).where(Job.id == job_id).with_for_update(skip_locked=True)
        return connection.execute(free).first() is None


def test_sending_again_keeps_the_pace(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(100), confirm="now", rate=120)
    work(kind_named("email.spread"))
    steering.cancel(mailing(mailing_id), "a test")
    assert steering.send_again(mailing(mailing_id), "a test") == 5
    first, *others = parts(mailing_id)
    assert first.state == "queued"
    assert {job.state for job in others} == {"scheduled"}
    assert [round((job.run_at - first.run_at).total_seconds()) for job in others] == [10, 20, 30, 40]


def test_rows_that_come_late_into_parts_keep_the_pace_too(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(500), confirm="now", rate=120)
    first, second = list(sending.lots(mailing(mailing_id)))[:2]
    sending.accept(mailing_id, first)
    with writing() as session:  # the worker was away for an hour
        session.execute(update(Job).where(Job.parent_id == mailing_id).values(run_at=after(-3600)))
    sending.accept(mailing_id, second)
    late = [job.run_at for job in parts(mailing_id)][20:]
    assert [round((at - late[0]).total_seconds()) for at in late] == [0, 10, 20, 30, 40]
