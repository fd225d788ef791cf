"""Our own mails: their jobs hold an id, and their address is read when they are sent."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.queue.ground import ground, owner
from tests.queue.rows import OWNER, accept, effects, job
from tests.services.conftest import mail_server
from tests.smtp_server import SmtpServer
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services.accounts import UserRef

__all__ = ["ground", "mail_server", "owner"]
pytestmark = pytest.mark.usefixtures("owner")


@pytest.mark.parametrize(
    ("kind", "subject", "link"),
    [
        ("email.welcome", "Welcome to webapi", "http://127.0.0.1:5000/verify/"),
        ("email.taken", "You already have an account", "http://127.0.0.1:5000/login"),
    ],
)
def test_the_mail_goes_to_the_person_and_its_job_holds_no_address(
    mail_server: SmtpServer, kind: str, subject: str, link: str
) -> None:
    job_id = accept(kind, UserRef(user_id=OWNER))
    work(kind_named(kind))
    (mail,) = mail_server.to("ada@example.com")
    body = mail.message.get_body(("plain",))
    assert (mail.message["Subject"], job(job_id).payload) == (subject, {"user_id": str(OWNER)})
    assert body is not None
    assert link in body.get_content()
    assert effects(job_id)["ada@example.com"].state == "done"


def test_somebody_who_is_gone_is_mailed_nothing(mail_server: SmtpServer) -> None:
    job_id = accept("email.welcome", UserRef(user_id=uuid4()))
    work(kind_named("email.welcome"))
    assert (job(job_id).state, job(job_id).error_public) == ("failed", "The person of this mail is not there any more.")
    assert mail_server.stored == []
