from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.queue import Retry, current, job
from webapi.services.addresses import Address
from webapi.services.mailings import asking, checking, sending
from webapi.services.mailings.asking import Wanted
from webapi.services.mailings.sending import Part
from webapi.services.mailings.steering import MailingRef
from webapi.services.storage import UploadId


class Bulk(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"template": "invoice", "recipients": "01930000-0000-7000-8000-000000000001"}]},
    )

    template: str = Field(max_length=120, description="The name of one of your templates.")
    recipients: UploadId = Field(
        description="CSV or XLSX with a header: a column email, and one for each placeholder of the template."
    )
    sender: Address | None = Field(None, description="One of your senders; left empty, the default one.")
    address_column: str | None = Field(
        None, max_length=200, description="The column with the addresses, if it is not called email."
    )
    rate: int | None = Field(None, ge=1, le=100_000, description="Mails a minute. Left empty, as fast as it goes.")
    confirm: Literal["ask", "now"] = Field(
        "ask", description="ask: check the file and wait for you. now: begin as soon as it is found good."
    )
    leave_out_bad: bool = Field(False, description="With now: leave out the rows that cannot be mailed.")
    again: bool = Field(False, description="Send a file once more that went out with this template before.")


def prepare(bulk: Bulk, owner_id: UUID) -> Bulk:
    return bulk.model_copy(update={"template": asking.check(owner_id, _wanted(bulk))})


@job("email.bulk", queue="email", retry=Retry(on=(OSError,)), prepare=prepare, public=True)
def check_bulk(bulk: Bulk) -> dict[str, Any]:
    """Mail everybody in a file: check each row, then send, with a receipt for each."""
    attempt = current()
    assert attempt is not None, "a mailing belongs to the owner of its job"
    return checking.check(attempt, _wanted(bulk))


@job("email.spread", queue="email", retry=Retry(on=(OSError,), budget=10), hidden=True)
def spread_bulk(reference: MailingRef) -> dict[str, int]:
    """Make parts of a mailing's rows."""
    return sending.spread(reference.mailing_id)


# A mail server that is away for some hours ends no mailing.
@job("email.part", queue="email", retry=Retry(on=(OSError,), budget=24, base=5, cap=900), hidden=True)
def send_part(part: Part) -> dict[str, Any]:
    """Send some mails of a mailing."""
    return sending.send(part)


def _wanted(bulk: Bulk) -> Wanted:
    return Wanted(**bulk.model_dump())
