"""A finished report is mailed: to each person once, as what it is."""

from __future__ import annotations

from typing import Any

import pytest
from flask import current_app
from sqlalchemy import update

from tests.queue.rows import OWNER, accept
from tests.services.reports.test_building import add_jobs
from tests.smtp_server import Act, SmtpServer, Stored
from webapi.errors import QuotaReached
from webapi.extensions import db
from webapi.models import Artifact, Effect, EffectState, Job, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import control, kind_named, quotas
from webapi.queue.batch import submit_batch
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services.reports import library
from webapi.services.reports.definition import Definition
from webapi.tasks.report_build import ReportRequest

pytestmark = pytest.mark.usefixtures("owner")


def send(**options: Any) -> None:
    accept("report.build", ReportRequest.model_validate({"send_to": ["bob@example.com"], **options}))
    work(kind_named("report.build"))
    work(kind_named("email.report"))


def body(received: Stored, kind: str = "plain") -> str:
    part = received.message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_the_file_and_what_proves_it_go_to_each_recipient(mail_server: SmtpServer, owner: User) -> None:
    send(send_to=["bob@example.com", "eve@example.com"], title="Sales")
    for address in ("bob@example.com", "eve@example.com"):
        (received,) = mail_server.to(address)
        (file,) = received.message.iter_attachments()
        assert (received.message["Subject"], file.get_filename()) == ("Sales", "jobs.csv")
        assert received.message["Reply-To"] == owner.email
        manifest = db.session.query(Job).filter_by(kind="report.build").one().result
        assert isinstance(manifest, dict)
        assert manifest["sha256"] in "".join(body(received).split())
        assert "complete" in body(received)
    states = [row.state for row in db.session.query(Effect)]
    assert states == [EffectState.DONE, EffectState.DONE]


def test_its_mails_count_when_it_is_accepted(mail_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.config, "MAILS_PER_DAY", 3)
    two = ["bob@example.com", "eve@example.com"]
    send(send_to=two)
    assert (len(mail_server.stored), quotas.mails_today(OWNER)) == (2, 2)
    request = ReportRequest(send_to=two)
    with pytest.raises(QuotaReached, match="You may send 3 mails a day"):
        accept("report.build", request, quota=100)
    with pytest.raises(QuotaReached):
        submit_batch(kind_named("report.build"), {0: request}, owner_id=OWNER, quota=100)
    accept("report.build", request, quota=100, sandbox=True)
    assert quotas.mails_today(OWNER) == 2


def test_a_report_that_is_built_again_is_mailed_to_nobody_again(owner: User, mail_server: SmtpServer) -> None:
    send()
    (job,) = db.session.query(Job).filter_by(kind="report.build")
    with writing() as session:
        control.replay(session, job.id, "a test")
    work(kind_named("report.build"))
    db.session.rollback()
    assert db.session.query(Job).filter_by(kind="report.build").one().attempt == 2
    assert db.session.query(Job).filter_by(kind="email.report").count() == 1
    assert len(mail_server.to("bob@example.com")) == 1


def test_a_report_that_is_built_again_before_its_mail_went_out_is_mailed(owner: User, mail_server: SmtpServer) -> None:
    request = ReportRequest(send_to=["bob@example.com"], mail_me=True)
    job_id = accept("report.build", request)
    work(kind_named("report.build"))
    with writing() as session:
        control.replay(session, job_id, "a test")
    mails = [kind_named("email.report"), kind_named("email.report_ready")]
    for kind in mails:
        work(kind)
    assert mail_server.stored == []
    work(kind_named("report.build"))
    with writing() as session:
        session.execute(update(Job).where(Job.state == "scheduled").values(run_at=now()))
    wake_due()
    for kind in mails:
        work(kind)
    assert len(mail_server.to("bob@example.com")) == len(mail_server.to(owner.email)) == 1
    assert "3 rows, complete." in " ".join(body(mail_server.to(owner.email)[0]).split())


def test_who_was_refused_does_not_mail_the_others_again(mail_server: SmtpServer) -> None:
    mail_server.plan("bad@example.com", Act.REFUSE_AT_RCPT)
    send(send_to=["bad@example.com", "bob@example.com"])
    mail = db.session.query(Job).filter_by(kind="email.report").one()
    assert (mail.state, mail.error_code) == ("failed", "refused")
    assert len(mail_server.to("bob@example.com")) == 1


def test_a_truncated_report_is_never_mailed_as_complete(
    mail_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(current_app.config, "REPORT_ROWS", 2)
    add_jobs(OWNER, 3)
    send(title="Sales")
    (received,) = mail_server.to("bob@example.com")
    assert received.message["Subject"] == "INCOMPLETE: Sales"
    assert "truncated at 2 rows" in body(received)


@pytest.mark.parametrize("limit", [0, None])
def test_what_is_too_large_or_shall_not_be_attached_is_linked(
    mail_server: SmtpServer, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    if limit is not None:
        monkeypatch.setitem(current_app.config, "MAIL_ATTACHMENTS", limit)
    send(attach=limit is not None)
    (received,) = mail_server.to("bob@example.com")
    assert list(received.message.iter_attachments()) == []
    assert f"{current_app.config['PUBLIC_URL']}/files/" in body(received, "html")


def test_an_empty_one_may_be_left_unsent(mail_server: SmtpServer) -> None:
    none = {"parameters": {"period": "2020-01-01..2020-01-31"}}
    send(skip_empty=True, **none)
    assert mail_server.stored == []
    send(skip_empty=False, **none)
    assert len(mail_server.to("bob@example.com")) == 1


def test_what_others_are_told_in_a_report_is_text(mail_server: SmtpServer) -> None:
    send(title="<img src=x> {{sha256}}")
    (received,) = mail_server.to("bob@example.com")
    assert "<img src=x>" not in body(received, "html")
    assert received.message["Subject"] == "<img src=x> {{sha256}}"


def test_a_chart_is_in_the_mail_and_beside_the_file(owner: User, mail_server: SmtpServer) -> None:
    chart = {"kind": "bar", "x": "kind", "y": ["n"]}
    sql = "SELECT kind, count(*) AS n FROM jobs GROUP BY kind"
    library.create(owner, "drawn", Definition.model_validate({"title": "Drawn", "sql": sql, "chart": chart}))
    send(report="drawn")
    (received,) = mail_server.to("bob@example.com")
    pictures = [part for part in received.message.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<chart.png>"]
    assert pictures[0].get_payload(decode=True)[:8] == b"\x89PNG\r\n\x1a\n"  # type: ignore[index]
    assert 'src="cid:chart.png"' in body(received, "html")
    assert [part.get_filename() for part in received.message.iter_attachments()] == ["drawn.csv"]
    (job,) = db.session.query(Job).filter_by(kind="report.build")
    names = db.session.scalars(db.select(Artifact.name).where(Artifact.job_id == job.id)).all()
    assert sorted(names) == ["chart.png", "drawn.csv", "manifest.json"]
