from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from webapi.queue import Retry, job
from webapi.services import mailer
from webapi.services.addresses import Address, Line

Body = Annotated[str, StringConstraints(max_length=200_000)]


class Email(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: list[Address] = Field(
        min_length=1, max_length=50, description="One address a line; each gets a mail of its own."
    )
    subject: Line = Field(min_length=1, max_length=200)
    text: Body = Field(
        "", description="Plain text. Left empty, it is made from the HTML.", json_schema_extra={"multiline": True}
    )
    html: Body = Field(
        "",
        title="HTML",
        description="Shown by mail programs that can; the others show the text.",
        json_schema_extra={"multiline": True},
    )
    reply_to: Address | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Email:
        if not self.text and not self.html:
            raise ValueError("give a text, or HTML, or both")
        return self


def recipients(email: Email) -> list[str]:
    return email.to


@job("email.send", queue="email", retry=Retry(on=(OSError,), budget=6), effects=recipients, public=True)
def send_email(email: Email) -> dict[str, Any]:
    """Send a mail to one or more people."""
    letter = mailer.Letter(email.subject, email.text or None, email.html or None, email.reply_to)
    return mailer.deliver(letter, email.to)
