"""Our mails about somebody's own jobs."""

from __future__ import annotations

import pytest

from tests.queue.rows import OWNER, accept, job
from tests.smtp_server import Act, SmtpServer
from webapi.extensions import db
from webapi.models import Job, User
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.tasks.email_digest import Digest
from webapi.tasks.email_send import Email
from webapi.tasks.report_build import ReportRequest

pytestmark = pytest.mark.usefixtures("owner")


def text(server: SmtpServer, address: str) -> str:
    body = server.to(address)[-1].message.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_who_asked_for_it_is_told_that_a_report_is_ready(mail_server: SmtpServer, owner: User) -> None:
    job_id = accept("report.build", ReportRequest(title="Sales", mail_me=True))
    work(kind_named("report.build"))
    work(kind_named("email.report_ready"))
    assert mail_server.to(owner.email)[0].message["Subject"] == "Your report is ready: Sales"
    assert "1 rows, complete." in text(mail_server, owner.email)
    assert f"/jobs/{job_id}" in text(mail_server, owner.email)


def test_who_did_not_ask_is_told_nothing(mail_server: SmtpServer) -> None:
    accept("report.build", ReportRequest(title="Sales"))
    work(kind_named("report.build"))
    assert db.session.scalars(db.select(Job).where(Job.kind == "email.report_ready")).all() == []


def test_a_digest_names_causes_and_how_often(mail_server: SmtpServer, owner: User) -> None:
    for number in range(3):
        mail_server.plan(f"bob{number}@example.com", Act.REFUSE_AT_RCPT)
        accept("email.send", Email(to=[f"bob{number}@example.com"], subject="Hi", text="x"))
        work(kind_named("email.send"))
    digest = accept("email.digest", Digest())
    work(kind_named("email.digest"))
    assert job(digest).result == {"mailed": True, "failed": 3, "uncertain": 0}
    assert mail_server.to(owner.email)[0].message["Subject"] == "3 jobs need you"
    assert "3 × email.send refused" in text(mail_server, owner.email)


def test_without_anything_to_tell_there_is_no_mail(mail_server: SmtpServer) -> None:
    digest = accept("email.digest", Digest(), owner_id=OWNER)
    work(kind_named("email.digest"))
    assert job(digest).result == {"mailed": False, "failed": 0, "uncertain": 0}
    assert mail_server.stored == []
