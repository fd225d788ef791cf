"""From a file to a receipt for each row of it."""

from __future__ import annotations

import os

import pytest
from flask import Flask

from tests.services.mailings.ground import hasten, mailing, over, parts, people, run, submit, template
from tests.smtp_server import Act, SmtpServer
from webapi.models import EffectState, User
from webapi.queue import kind_named
from webapi.queue.housekeeping import remove_orphans
from webapi.queue.run import work
from webapi.services.mail import suppressions
from webapi.services.mailings import sending, steering, watching

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture(autouse=True)
def _template(owner: object) -> None:
    template()


def test_everybody_in_a_file_gets_a_mail_with_their_own_values(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(450), confirm="now")
    run(mailing_id)
    assert [job.state for job in parts(mailing_id)] == ["succeeded"] * 3
    assert len(mail_server.stored) == 450
    message = mail_server.to("person7@example.com")[0].message
    body = message.get_body(("html",))
    assert body is not None
    assert "Dear Person 7, you owe 7.00." in body.get_content()
    assert message["Subject"] == "For Person 7"
    found = watching.standing(mailing(mailing_id))
    assert (found.phase, found.delivered, found.waiting, found.percent) == ("done", 450, 0, 100)


def test_each_mail_of_a_mailing_can_be_answered_by_one_click(mail_server: SmtpServer) -> None:
    """RFC 8058 section 3.1."""
    run(submit(people(1), confirm="now"))
    message = mail_server.stored[0].message
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].startswith("<http://127.0.0.1:5000/unsubscribe/")
    assert "example.com" not in message["List-Unsubscribe"]


def test_a_spread_that_was_cut_short_goes_on_where_it_ended(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(5000), confirm="now")
    row = mailing(mailing_id)
    lot = next(sending.lots(row))
    run(mailing_id)
    assert sum(job.payload["rows"] for job in parts(mailing_id)) == 5000
    offsets = [job.payload["offset"] for job in parts(mailing_id)]
    assert len(set(offsets)) == len(offsets) == 25
    assert sending.accept(mailing_id, lot) is False  # somebody who comes late with the same rows
    assert len(mail_server.stored) == 5000
    assert len({mail.recipients for mail in mail_server.stored}) == 5000


def test_a_pace_spreads_the_parts_over_time(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(100), confirm="now", rate=120)
    run(mailing_id)
    assert [job.payload["rows"] for job in parts(mailing_id)] == [20] * 5
    begun = mailing(mailing_id).confirmed_at
    assert begun is not None
    assert [round((job.run_at - begun).total_seconds()) for job in parts(mailing_id)] == [0, 10, 20, 30, 40]
    assert len(mail_server.stored) == 20
    hasten(mailing_id)
    run(mailing_id)
    assert len(mail_server.stored) == 100


def test_a_paused_mailing_sends_nothing_and_goes_on_with_the_rest(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(450), confirm="now")
    work(kind_named("email.spread"))
    work(kind_named("email.part"))
    steering.pause(mailing(mailing_id))
    run(mailing_id)
    assert len(mail_server.stored) == 200
    assert [job.state for job in parts(mailing_id)] == ["succeeded", "scheduled", "scheduled"]
    assert watching.standing(mailing(mailing_id)).phase == "paused"
    steering.resume(mailing(mailing_id))
    hasten(mailing_id)
    run(mailing_id)
    assert len(mail_server.stored) == 450
    assert {job.attempt_budget - job.attempt for job in parts(mailing_id)} == {23}  # a rest is not charged


def test_a_cancelled_mailing_ends_and_can_be_sent_to_the_rest(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(450), confirm="now")
    work(kind_named("email.spread"))
    work(kind_named("email.part"))
    assert steering.cancel(mailing(mailing_id), "a test") == 2
    assert over(mailing_id)
    assert watching.standing(mailing(mailing_id)).phase == "cancelled"
    assert steering.send_again(mailing(mailing_id), "a test") == 2
    run(mailing_id)
    assert len(mail_server.stored) == len({mail.recipients for mail in mail_server.stored}) == 450


def test_who_was_refused_can_be_sent_to_again_and_nobody_else_is(mail_server: SmtpServer) -> None:
    mail_server.plan("person3@example.com", Act.REFUSE_AT_RCPT)
    mail_server.plan("person7@example.com", Act.REFUSE_AFTER_THE_DOT)
    mailing_id = submit(people(10), confirm="now")
    run(mailing_id)
    found = watching.standing(mailing(mailing_id))
    assert (found.phase, found.delivered, found.refused) == ("done", 8, 2)
    assert steering.send_again(mailing(mailing_id), "a test") == 1
    run(mailing_id)
    found = watching.standing(mailing(mailing_id))
    assert (found.delivered, found.refused, len(mail_server.stored)) == (10, 0, 10)


def test_suppressed_addresses_are_held_and_one_can_be_released(mail_server: SmtpServer, owner: User) -> None:
    row = mailing(submit(people(3)))
    suppressions.add(row.owner_id, "Person1@example.com", "unsubscribe")
    steering.confirm(row)
    run(row.id)
    assert mail_server.to("person1@example.com") == []
    found = watching.standing(mailing(row.id))
    assert (found.delivered, found.held, found.waiting) == (2, 1, 0)
    (held,) = watching.mails(row, [EffectState.HELD])
    assert held.reply.startswith("Whoever reads this address asked for no more mails, since ")
    steering.settle(owner, row, held.id, "release")
    run(row.id)
    assert len(mail_server.to("person1@example.com")) == 1
    assert watching.standing(mailing(row.id)).held == 0


def test_a_server_that_does_not_answer_leaves_its_mails_uncertain_and_the_others_are_sent(
    mail_server: SmtpServer,
) -> None:
    mail_server.plan("person2@example.com", Act.STORE_AND_HANG_UP)
    mailing_id = submit(people(20), confirm="now")
    run(mailing_id)
    hasten(mailing_id)
    run(mailing_id)
    found = watching.standing(mailing(mailing_id))
    assert (found.delivered, found.uncertain) == (19, 1)
    assert len(mail_server.stored) == 20
    (part,) = parts(mailing_id)
    assert part.state == "uncertain"


def test_the_file_comes_back_with_a_verdict_on_each_row(mail_server: SmtpServer) -> None:
    mail_server.plan("person1@example.com", Act.REFUSE_AT_RCPT)
    content = people(3, "nobody,Nobody,1", "=cmd@example.com,=HYPER(1),2")
    mailing_id = submit(content, confirm="now", leave_out_bad=True)
    run(mailing_id)
    lines = "".join(watching.verdicts(mailing(mailing_id), None)).splitlines()
    assert lines[0] == "email,first_name,sum,webapi_state,webapi_code,webapi_reply,webapi_at"
    assert lines[1].startswith("person0@example.com,Person 0,0.00,delivered,250,2.0.0 stored,20")
    assert lines[2].startswith("person1@example.com,Person 1,1.00,refused,550,5.1.1 nobody here,20")
    assert lines[4] == "nobody,Nobody,1,not sent,,,"
    assert lines[5].startswith("'=cmd@example.com,'=HYPER(1),2,delivered")


def test_the_checked_rows_of_a_mailing_that_waits_for_days_are_not_cleared_away(
    mail_server: SmtpServer, ground: Flask
) -> None:
    row = mailing(submit(people(3)))
    store = ground.extensions["files"]
    assert row.recipients_sha256 is not None
    path = store.path(row.recipients_sha256)
    os.utime(path, (0, 0))
    remove_orphans(store, int(row.recipients_sha256[:2], 16))
    assert path.exists()
    steering.confirm(row)
    run(row.id)
    assert len(mail_server.stored) == 3
