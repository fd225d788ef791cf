"""The shapes of what the doors for senders, suppressions, mailings and bounces take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.models import EffectState
from webapi.services.addresses import Address, Line
from webapi.services.mail.suppressions import Reason


class SenderIn(BaseModel):
    """An address from which you want to send. A mail to it asks whoever reads it for a confirmation."""

    address: Address
    name: Line = Field("", max_length=100, description="Shown beside the address.")
    reply_to: Address | None = None


class SenderOut(BaseModel):
    """An address from which mail may come, once it is `verified`. One without an id is configured for everybody."""

    id: UUID | None
    address: str
    name: str
    reply_to: str | None
    verified: bool
    created_at: datetime | None


class SenderList(BaseModel):
    """The configured ones, the default first, and yours."""

    senders: list[SenderOut]


class SuppressionIn(BaseModel):
    """An address that is never to be mailed."""

    address: Address
    detail: Line = Field("", max_length=500)


class SuppressionOut(BaseModel):
    """An address that your mails do not go to, and why."""

    model_config = ConfigDict(from_attributes=True)

    address: str
    reason: Reason
    detail: str
    created_at: datetime


class SuppressionPage(BaseModel):
    """Some of them, by address. `next_cursor` is null on the last page."""

    suppressions: list[SuppressionOut]
    next_cursor: str | None


class MailCounts(BaseModel):
    """How many mails of a mailing stand where. `bounced` were delivered to a server that gave them back later."""

    model_config = ConfigDict(from_attributes=True)

    total: int = 0
    delivered: int = 0
    refused: int = 0
    uncertain: int = 0
    held: int = 0
    bounced: int = 0
    waiting: int = 0


class MailingOut(BaseModel):
    """A mailing. `phase` is one of checking, faulty, checked, sending, paused, cancelled and done.

    `findings` is what the check of its file found; it is null until then.
    """

    id: UUID
    phase: str
    percent: int
    counts: MailCounts
    template: str
    sender: str | None
    recipients: UUID
    file_name: str | None
    rate: int | None
    sandbox: bool
    problem: str | None
    findings: dict[str, Any] | None
    created_at: datetime
    confirmed_at: datetime | None
    paused_at: datetime | None
    cancelled_at: datetime | None
    links: dict[str, str]


class MailingPage(BaseModel):
    """Some mailings, newest first. `next_cursor` is null on the last page."""

    mailings: list[MailingOut]
    next_cursor: str | None


class Confirmation(BaseModel):
    """Whether to send although some rows cannot be mailed: to the others."""

    leave_out_bad: bool = False


class MailOut(BaseModel):
    """One mail of a mailing. Its id is that of its effect, and `job_id` that of the part that sends it."""

    id: UUID
    job_id: UUID
    address: str
    state: EffectState
    code: int | None
    reply: str | None


class MailPage(BaseModel):
    """Some mails of a mailing, by address. `next_cursor` is null on the last page."""

    mails: list[MailOut]
    next_cursor: str | None


class BounceOut(BaseModel):
    """What came of a notification: how many recipients it speaks of, and what was changed by it."""

    model_config = ConfigDict(from_attributes=True)

    notices: int
    settled: int
    suppressed: int
