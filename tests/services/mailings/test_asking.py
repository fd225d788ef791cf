"""The same file goes out with the same template once, unless somebody says so."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.queue.rows import OWNER, accept, add_owner, job
from tests.services.mailings.ground import mailing, people, run, submit, template, upload
from tests.smtp_server import SmtpServer
from webapi.errors import Conflict, Invalid
from webapi.extensions import db
from webapi.models import User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import jobs
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording
from webapi.services.mailings import steering
from webapi.tasks.email_bulk import Bulk

pytestmark = pytest.mark.usefixtures("owner", "mail_server")


@pytest.fixture(autouse=True)
def _template(owner: User) -> None:
    template()


def ask(content: str, **options: object) -> None:
    """As through a door."""
    bulk = Bulk(template="invoice", recipients=upload(content), **options)
    jobs.submit(db.session.get_one(User, OWNER), kind_named("email.bulk"), bulk)


def test_the_same_file_is_refused_with_a_link_to_the_first() -> None:
    first = submit(people(3), confirm="now")
    with pytest.raises(Invalid) as refused:
        ask(people(3))
    (fault,) = refused.value.faults
    assert fault.pointer == "/recipients"
    assert f"http://127.0.0.1:5000/mailings/{first}" in fault.message
    assert refused.value.details["first"] == f"http://127.0.0.1:5000/mailings/{first}"


def test_it_is_refused_after_it_was_sent_too(mail_server: SmtpServer) -> None:
    run(submit(people(3), confirm="now"))
    with pytest.raises(Invalid, match="not right"):
        ask(people(3))
    assert len(mail_server.stored) == 3


def test_it_is_sent_again_when_somebody_says_so(mail_server: SmtpServer) -> None:
    run(submit(people(3), confirm="now"))
    run(submit(people(3), confirm="now", again=True))
    assert len(mail_server.stored) == 6


def test_another_file_and_another_template_are_no_repetition() -> None:
    submit(people(3), confirm="now")
    ask(people(4))
    template("reminder", Wording(subject="Again", html="<p>{{sum}}</p>"))
    jobs.submit(
        db.session.get_one(User, OWNER),
        kind_named("email.bulk"),
        Bulk(template="reminder", recipients=upload(people(3))),
    )


def test_a_mailing_that_was_thrown_away_is_no_first() -> None:
    steering.cancel(mailing(submit(people(3))), "a test")
    ask(people(3))


def test_of_two_that_wait_for_a_yes_only_one_is_sent(mail_server: SmtpServer) -> None:
    first, second = submit(people(3)), submit(people(3))
    steering.confirm(mailing(first))
    with pytest.raises(Invalid) as refused:
        steering.confirm(mailing(second))
    assert str(first) in refused.value.faults[0].message
    run(first)
    assert len(mail_server.stored) == 3


def test_a_yes_that_is_said_twice_counts_once(mail_server: SmtpServer) -> None:
    row = mailing(submit(people(3)))
    steering.confirm(row)
    with pytest.raises(Conflict):
        steering.confirm(mailing(row.id))
    run(row.id)
    assert len(mail_server.stored) == 3


def test_bad_rows_are_left_out_only_by_somebody_who_says_so() -> None:
    row = mailing(submit(people(3, "nobody,Nobody,1")))
    with pytest.raises(Conflict, match="1 of 4 rows cannot be mailed"):
        steering.confirm(row)
    steering.confirm(row, leave_out_bad=True)
    assert mailing(row.id).state == "sending"


def test_what_is_mailed_is_the_version_that_was_accepted(mail_server: SmtpServer) -> None:
    owner = db.session.get_one(User, OWNER)
    ask(people(1), confirm="now")
    (row,) = templates.of(OWNER)
    templates.change(owner, row.id, Wording(subject="Another", html="<p>{{first_name}}</p>"))
    work(kind_named("email.bulk"))
    (first,) = steering.of(OWNER)
    run(first.id)
    assert mail_server.stored[0].message["Subject"] == "For Person 0"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"template": "nothing"}, "/template"),
        ({"template": "invoice@7"}, "/template"),
        ({"sender": "x@example.com"}, "/sender"),
    ],
)
def test_what_is_not_there_is_refused_at_once(change: dict[str, str], pointer: str) -> None:
    bulk = Bulk.model_validate({"template": "invoice", "recipients": upload(people(1)), **change})
    with pytest.raises(Invalid) as refused:
        jobs.submit(db.session.get_one(User, OWNER), kind_named("email.bulk"), bulk)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_a_template_of_somebody_else_is_not_there() -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    with pytest.raises(Invalid):
        jobs.submit(eve, kind_named("email.bulk"), Bulk(template="invoice", recipients=upload(people(1))))


def test_a_job_that_is_accepted_twice_at_once_makes_one_mailing() -> None:
    """Both were asked for before either had begun: the second job fails when it is to send."""
    bulk = Bulk(template="invoice@1", recipients=upload(people(2)), confirm="now")
    first, second = accept("email.bulk", bulk), accept("email.bulk", bulk)
    for _ in range(2):
        work(kind_named("email.bulk"))
    assert {job(first).state, job(second).state} == {"succeeded", "failed"}


def test_a_mailing_goes_out_although_its_template_is_deleted_meanwhile(mail_server: SmtpServer, owner: User) -> None:
    row = mailing(submit(people(2)))
    templates.remove(owner, row.template_id)
    steering.confirm(row)
    run(row.id)
    assert len(mail_server.stored) == 2
