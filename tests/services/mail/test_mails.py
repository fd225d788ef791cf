"""Single mails: what was accepted is what is sent."""

from __future__ import annotations

from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import update

from tests.queue.rows import add_owner, job
from tests.services.mail.mailing import BOB, EVE, body, outcomes, person, refused, run, send, submit, template
from tests.smtp_server import SmtpServer
from webapi.errors import Invalid
from webapi.models import Schedule
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.schedules import fire_due
from webapi.services import schedules
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording
from webapi.services.plans import Plan
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.usefixtures("owner")
OTHER = UUID("01900000-0000-7000-8000-00000000eee0")
ADA = {"name": "Ada"}


def test_the_version_that_was_accepted_is_sent_although_the_template_changed(mail_server: SmtpServer) -> None:
    template_id = template()
    templates.change(person(), template_id, Wording(subject="Second", html="<p>second {{name}}"))
    accepted = [submit(template=reference, values=ADA) for reference in ("invoice", "invoice@2", "invoice@1")]
    templates.change(person(), template_id, Wording(subject="Third", html="<p>third {{other}}"))
    assert [job(job_id).payload["template"] for job_id in accepted] == ["invoice@2", "invoice@2", "invoice@1"]
    for _ in accepted:
        run()
    assert sorted(str(mail.message["Subject"]) for mail in mail_server.stored) == ["For Ada", "Second", "Second"]


def test_a_missing_value_is_refused_before_the_mail_is_accepted() -> None:
    template()
    with pytest.raises(Invalid, match=r"no value for \{\{name\}\}"):
        submit(template="invoice")
    with pytest.raises(Invalid, match=r"no value for \{\{name\}\}"):
        submit(template="invoice", values={"nam": "x"})


@pytest.mark.parametrize("value", ["a\r\nBcc: eve@example.com", "a\n", "a\0", "a\u2028b"])
def test_a_value_that_would_begin_a_header_is_refused_before_the_mail_is_accepted(value: str) -> None:
    template()
    with pytest.raises(Invalid, match="one line"):
        submit(template="invoice", values={"name": value})


def test_values_are_found_in_any_case_and_mean_nothing(mail_server: SmtpServer) -> None:
    template(text="{{NAME}}")
    send(template="invoice", values={"Name": "{{other}} <b>{{name}}"})
    (mail,) = mail_server.stored
    assert "{{other}} <b>{{name}}" in body(mail)
    assert "Dear {{other}} &lt;b&gt;{{name}}" in body(mail, "html")


def test_the_template_of_somebody_else_is_not_found() -> None:
    template()
    add_owner(OTHER, "eve@example.com")
    with refused("/template", "no template called"):
        submit(template="invoice", values=ADA, owner_id=OTHER)


def test_what_was_accepted_is_sent_although_its_template_is_deleted_meanwhile(mail_server: SmtpServer) -> None:
    template_id = template()
    job_id = submit(template="invoice", values=ADA)
    templates.remove(person(), template_id)
    run()
    assert (job(job_id).state, len(mail_server.stored)) == ("succeeded", 1)
    with refused("/template", "no template called"):
        submit(template="invoice", values=ADA)


def test_a_schedule_does_not_go_on_with_a_template_that_was_deleted(mail_server: SmtpServer) -> None:
    """It keeps the name as it was written, for the newest version of each time."""
    template_id = template()
    plan = Plan(name="Monthly", cron="0 0 1 * *")
    payload = Email(to=[BOB], template="invoice", values=ADA)
    schedule = schedules.create(person(), kind_named("email.send"), payload, plan)
    templates.remove(person(), template_id)
    with writing() as session:
        session.execute(update(Schedule).values(next_at=now()))
    fire_due()
    run()
    (fired,) = schedules.history(schedule)
    assert (fired.state, fired.error_public) == ("failed", "You have no template called 'invoice'.")
    assert mail_server.stored == []


@pytest.mark.parametrize(
    "text", ["{{name}}", "{{{", "}}", "{{ a | b }}", "{% if %}", "{{{{x}}}}", "{{unsubscribe_url}}"]
)
def test_words_that_are_no_template_arrive_as_they_are(mail_server: SmtpServer, text: str) -> None:
    """They were accepted, and then could not be sent; or they arrived with a mark that nobody sees in them."""
    job_id = send(subject=text, text=text, html=f"<p>{text}</p>", values=ADA)
    assert outcomes(job_id) == {BOB: ("done", 250)}
    (mail,) = mail_server.stored
    assert (str(mail.message["Subject"]), body(mail).strip()) == (text, text)
    assert text in unescape(body(mail, "html"))


def test_each_person_is_sent_their_own_mail(mail_server: SmtpServer) -> None:
    template()
    send(BOB, EVE, template="invoice", values=ADA)
    assert [(mail.recipients, mail.message["To"]) for mail in mail_server.stored] == [((BOB,), BOB), ((EVE,), EVE)]


@pytest.mark.parametrize("html", ["<div>" * 40_000, "<blockquote>x" * 15_000, "<b>" * 60_000])
def test_a_page_that_no_library_should_read_is_refused_before_it_is_accepted(html: str) -> None:
    with pytest.raises(Invalid, match="The letter cannot be used"):
        submit(subject="Hi", html=html)
