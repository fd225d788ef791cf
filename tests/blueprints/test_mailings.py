"""The pages of mailings: a file is checked, looked at, confirmed and watched, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from uuid import uuid4

import pytest
from sqlalchemy import update

from tests.blueprints.site import Browser, Site
from tests.smtp_server import Act, SmtpServer, smtp_server
from webapi.models import Job, State
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue.relay import wake_due

KINDS = ("email.bulk", "email.spread", "email.part")


@pytest.fixture
def mail_server(site: Site) -> Iterator[SmtpServer]:
    settings = site.app.extensions["mail"]
    with smtp_server() as server:
        before, settings.port = settings.port, server.port
        yield server
        settings.port = before
        if kept := site.app.extensions.pop("smtp", None):
            kept.close()


@pytest.fixture
def template(browser: Browser) -> str:
    name = f"t-{uuid4().hex}"
    wording = {"subject": "For {{first_name}}", "html": "<p>Dear {{first_name}}</p>", "layout": "on"}
    assert browser.post("/templates/new", {"name": name, **wording}).status_code == 303
    return name


def hand_in(browser: Browser, template: str, *lines: str, **more: str) -> str:
    """The path of the mailing, whose file is not checked yet."""
    file = BytesIO("\n".join(["email,first_name", *lines, f"{uuid4().hex}@example.com,Last"]).encode())
    form = {"template": template, "recipients": (file, "people.csv"), **more}
    answer = browser.post("/mailings/new", form, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def run(site: Site, times: int = 1) -> None:
    for kind in KINDS[1:] * times:
        site.work(kind)


def test_a_mailing_from_its_file_to_its_receipts(
    browser: Browser, site: Site, template: str, mail_server: SmtpServer
) -> None:
    mail_server.plan("bob@example.com", Act.REFUSE_AT_RCPT)
    path = hand_in(browser, template, "ada@example.com,Ada", "bob@example.com,Bob", "nobody,Nobody")
    assert "The file is being checked" in browser.get(path).text
    site.work("email.bulk")
    page = browser.get(path).text
    assert all(words in page for words in ("of 4 rows can be mailed", "nobody: this is not one email address"))
    assert "Dear Ada" in browser.get(f"{path}/preview/0").text
    assert mail_server.stored == []
    assert browser.post(f"{path}/confirm").status_code == 409, "the bad row was not agreed to"
    assert browser.post(f"{path}/confirm", {"leave_out_bad": "on"}).status_code == 303
    run(site)
    page = browser.get(path).text
    assert all(words in page for words in ("bob@example.com", "550 5.1.1 nobody here", "done"))
    assert len(mail_server.stored) == 2
    answer = browser.get(f"{path}/recipients.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="people with verdicts.csv"'
    assert "bob@example.com,Bob,refused,550" in answer.text
    assert browser.post(f"{path}/again").status_code == 303
    run(site)
    assert len(mail_server.stored) == 3
    assert "people.csv" in browser.get("/mailings").text


def test_the_same_file_twice_is_refused_with_a_link(
    browser: Browser, site: Site, template: str, mail_server: SmtpServer
) -> None:
    line = f"{uuid4().hex}@example.com,Ada"

    def form() -> dict[str, object]:
        file = BytesIO(f"email,first_name\n{line}\nbob@example.com,Bob".encode())
        return {"template": template, "recipients": (file, "people.csv")}

    first = browser.post("/mailings/new", form(), content_type="multipart/form-data").headers["Location"]
    site.work("email.bulk")
    again = browser.post("/mailings/new", form(), content_type="multipart/form-data")
    assert (again.status_code, f"http://127.0.0.1:5000{first}" in again.text) == (422, True)
    assert 'name="again"' in again.text
    allowed = browser.post("/mailings/new", {**form(), "again": "on"}, content_type="multipart/form-data")
    assert allowed.status_code == 303
    site.work("email.bulk")


def test_a_mailing_is_paused_goes_on_and_is_cancelled(
    browser: Browser, site: Site, template: str, mail_server: SmtpServer
) -> None:
    path = hand_in(browser, template, "ada@example.com,Ada")
    site.work("email.bulk")
    browser.post(f"{path}/confirm")
    assert browser.post(f"{path}/pause").status_code == 303
    run(site)
    assert "paused" in browser.get(path).text
    assert mail_server.stored == []
    assert browser.post(f"{path}/resume").status_code == 303
    assert browser.post(f"{path}/cancel").status_code == 303
    assert "cancelled" in browser.get(path).text
    assert browser.post(f"{path}/pause").status_code == 409


def test_held_and_uncertain_mails_are_settled_from_the_page(
    browser: Browser, site: Site, template: str, mail_server: SmtpServer
) -> None:
    held = f"{uuid4().hex}@example.com"
    assert browser.post("/suppressions", {"address": held}).status_code == 303
    path = hand_in(browser, template, f"{held},Ada", "uncertain@simulator.webapi,Bob")
    site.work("email.bulk")
    browser.post(f"{path}/confirm")
    run(site)
    assert browser.get(path).text.count("when this part is over") == 2
    with site.app.app_context():
        with writing() as session:
            session.execute(
                update(Job).where(Job.kind == "email.part", Job.state == State.RETRYING).values(run_at=now())
            )
        wake_due()
    run(site)
    page = browser.get(path).text
    assert "This address is on your list of those never to be mailed" in page
    actions = re.findall(r'action="([^"]+/mails/[^"]+)".*?value="(release|delivered)"', page, re.DOTALL)
    assert {answer for _, answer in actions} == {"release", "delivered"}
    for action, answer in sorted(actions, key=lambda pair: pair[1]):
        assert browser.post(action, {"answer": "whatever"}).status_code == 422
        assert browser.post(action, {"answer": answer}).status_code == 303
    run(site)
    assert len(mail_server.to(held)) == 1


def test_another_persons_mailing_is_not_there(browser: Browser, site: Site, template: str) -> None:
    path = hand_in(browser, template, "ada@example.com,Ada")
    eve = Browser(site.app, site.eve)
    assert eve.get(path).status_code == 404
    site.work("email.bulk")
    assert eve.get(path).status_code == eve.post(f"{path}/confirm").status_code == 404
    assert eve.get(f"{path}/recipients.csv").status_code == 404


def test_a_job_of_another_kind_is_no_mailing(browser: Browser, site: Site) -> None:
    job = site.submit("data.process", {"data": [1]})
    assert browser.get(f"/mailings/{job['id']}").status_code == 404
    site.work("data.process")
