"""The links in mails, for whoever has them."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.blueprints.site import Browser, Site
from webapi.extensions import db
from webapi.models import Effect, Upload
from webapi.queue.acts import Act
from webapi.services.mail import attachments, suppressions, unsubscribe
from webapi.services.mail.attachments import File


@pytest.fixture
def address() -> str:
    return f"{uuid4().hex}@example.com"


@pytest.fixture
def token(site: Site, address: str) -> str:
    """That of a mail to the address."""
    job = site.submit("email.send", {"to": [address], "subject": "Hello", "text": "Hi."})
    with site.app.app_context():
        effect = db.session.scalars(db.select(Effect).where(Effect.job_id == UUID(job["id"]))).one()
        return unsubscribe.link(Act(address, effect.id, None)).rpartition("/")[2]


def test_one_click_of_a_mail_program_holds_the_next_mail(site: Site, token: str, address: str) -> None:
    """RFC 8058 section 3.2: a POST without cookie, without token of ours, with this body."""
    program = site.app.test_client()
    for _ in range(2):
        answer = program.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    job = site.submit("email.send", {"to": [address], "subject": "Again", "text": "Hi."})
    for _ in range(2):
        site.work("email.send")
    row = site.job(job["id"])
    assert (row.state, row.error_code) == ("failed", "held")


def test_opening_the_link_ends_nothing_and_asks(site: Site, visitor: Browser, token: str) -> None:
    page = visitor.get(f"/unsubscribe/{token}")
    assert (page.status_code, "Yes, no more mails" in page.text) == (200, True)
    with site.app.app_context():
        found = unsubscribe.find(token)
        assert not suppressions.among(found.owner_id, [found.address])


def test_a_forged_link_is_not_found(visitor: Browser) -> None:
    assert visitor.get("/unsubscribe/forged").status_code == 404
    assert visitor.post("/unsubscribe/forged").status_code == 404
    assert visitor.get("/files/forged").status_code == 404


def test_the_address_does_not_stand_in_the_link(token: str, address: str) -> None:
    assert address.partition("@")[0] not in token


def test_a_linked_file_is_for_saving_only(site: Site, visitor: Browser) -> None:
    script = b"<script>alert(1)</script>"
    upload = site.program.post("/api/v1/uploads?name=x.html", data=script, headers=site.ada.headers)
    assert upload.json is not None
    with site.app.app_context():
        row = db.session.get_one(Upload, UUID(upload.json["id"]))
        file = File(row.name, row.media_type, row.size, row.sha256, ("upload", str(row.id)))
        path = attachments.link(file).removeprefix("http://127.0.0.1:5000")
    answer = visitor.get(path)
    assert answer.data == script
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
