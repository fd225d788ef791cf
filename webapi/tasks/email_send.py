from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from webapi.queue import Retry, job
from webapi.services.addresses import Address, Line
from webapi.services.mail import mails
from webapi.services.storage import UploadId

Body = Annotated[str, StringConstraints(max_length=200_000)]
Value = Annotated[str, StringConstraints(max_length=20_000)]


class Email(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"to": ["bob@example.com"], "subject": "Your order", "text": "It is on its way."}]
        },
    )

    to: list[Address] = Field(
        min_length=1, max_length=50, description="One address a line; each gets a mail of its own."
    )
    subject: Line | None = Field(None, min_length=1, max_length=200)
    text: Body = Field(
        "", description="Plain text. Left empty, it is made from the HTML.", json_schema_extra={"multiline": True}
    )
    html: Body = Field(
        "",
        title="HTML",
        description="Shown by mail programs that can; the others show the text.",
        json_schema_extra={"multiline": True},
    )
    template: str | None = Field(
        None, max_length=120, description="The name of one of your templates, instead of a subject, a text and HTML."
    )
    values: dict[str, Value] = Field(
        default_factory=dict,
        max_length=100,
        description="What the template's placeholders stand for.",
        examples=[{"first_name": "Ada"}],
    )
    attachments: list[UploadId] = Field(default_factory=list, max_length=10, description="Files that go with it.")
    artifacts: list[Annotated[str, StringConstraints(max_length=300)]] = Field(
        default_factory=list,
        max_length=10,
        description="Files of your jobs that go with it, one a line: the job's id, a slash, the file's name.",
    )
    sender: Address | None = Field(None, description="One of your senders; left empty, the default one.")
    reply_to: Address | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Email:
        if self.template and (self.subject or self.text or self.html):
            raise ValueError("give a template, or subject and text of its own, not both")
        if not self.template and not self.subject:
            raise ValueError("give a subject, or the name of a template")
        if not self.template and not self.text and not self.html:
            raise ValueError("give a text, or HTML, or both")
        return self


def recipients(email: Email) -> list[str]:
    return email.to


def prepare(email: Email, owner_id: UUID) -> Email:
    """What is accepted is what will be sent: the template's version is fixed, and nothing is missing."""
    pinned = mails.check(owner_id, _mail(email))
    return email.model_copy(update={"template": pinned})


@job(
    "email.send", queue="email", retry=Retry(on=(OSError,), budget=6), effects=recipients, prepare=prepare, public=True
)
def send_email(email: Email) -> dict[str, Any]:
    """Send a mail to one or more people."""
    return mails.send(_mail(email), email.to)


def _mail(email: Email) -> mails.Mail:
    return mails.Mail(**email.model_dump(exclude={"to"}))
