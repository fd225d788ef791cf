"""Single mails as jobs: accepted as the doors accept them, and done one attempt after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from tests.queue.rows import OWNER, change, effects
from tests.smtp_server import Stored
from webapi.errors import Invalid
from webapi.extensions import db
from webapi.models import User
from webapi.models.columns import after
from webapi.queue import kind_named
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services import jobs, storage
from webapi.services.mail import templates
from webapi.services.mail.templates import Wording
from webapi.tasks.email_send import Email

BOB, EVE, JOE, AMY = "bob@example.com", "eve@example.com", "joe@example.com", "amy@example.com"


def person(owner_id: UUID = OWNER) -> User:
    return db.session.get_one(User, owner_id)


def submit(*to: str, sandbox: bool = False, owner_id: UUID = OWNER, **mail: Any) -> UUID:
    """A mail, checked as at every door. The id of its job."""
    words = {} if "template" in mail or "subject" in mail else {"subject": "Hello", "text": "It works."}
    email = Email.model_validate({"to": list(to) or [BOB], **words, **mail})
    return jobs.submit(person(owner_id), kind_named("email.send"), email, sandbox=sandbox).id


def run() -> None:
    work(kind_named("email.send"))


def send(*to: str, **mail: Any) -> UUID:
    """A job, and its first attempt."""
    job_id = submit(*to, **mail)
    run()
    return job_id


def again(job_id: UUID) -> None:
    """The next attempt, when the wait for it is over."""
    change(job_id, run_at=after(0))
    wake_due()
    run()


def outcomes(job_id: UUID) -> dict[str, tuple[str, int | None]]:
    return {key: (str(effect.state), effect.code) for key, effect in effects(job_id).items()}


def template(name: str = "invoice", **wording: Any) -> UUID:
    """A template of the owner's."""
    words = {"subject": "For {{name}}", "html": "<p>Dear {{name}}</p>", **wording}
    return templates.create(person(), name, Wording(**words)).id


def upload(content: bytes, name: str = "a.pdf", media_type: str = "application/pdf", owner_id: UUID = OWNER) -> UUID:
    return storage.receive(owner_id, name, media_type, BytesIO(content)).id


def body(mail: Stored, kind: str = "plain") -> str:
    found = mail.message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


@contextmanager
def refused(pointer: str, sentence: str = "") -> Iterator[None]:
    """What happens within is refused, with a sentence at one place of the payload."""
    with pytest.raises(Invalid) as caught:
        yield
    (fault,) = caught.value.faults
    assert fault.pointer == pointer
    assert sentence in fault.message
