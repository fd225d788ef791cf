"""Sending mail: one SMTP transaction for each recipient, each with its receipt in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from typing import Any

import css_inline
from flask import current_app, render_template
from flask_mail import Message
from html2text import HTML2Text

from webapi.errors import Transient
from webapi.models import EffectState
from webapi.queue.attempt import progress
from webapi.queue.effects import Act, outstanding
from webapi.services import smtp

SEVEN_BITS = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Letter:
    """What a mail says. Without `text` the text part is made from the HTML."""

    subject: str
    text: str | None = None
    html: str | None = None
    reply_to: str | None = None


def deliver(letter: Letter, to: Sequence[str]) -> dict[str, Any]:
    """Send `letter` to each address that has not had it yet. Returns how many were accepted just now.

    Raises Transient when the server wants some of them later, also when it cannot be reached;
    who has been reached is remembered and is not mailed again.
    """
    acts = outstanding(to)
    deferred: list[str] = []
    accepted = 0
    if not acts:
        return {"accepted": 0}
    with smtp.connected() as connection:
        for position, act in enumerate(acts):
            reply = _send(connection, letter, act)
            accepted += reply.accepted
            if reply.transient:
                deferred.append(f"{reply.code} {reply.text}")
            progress(100 * (position + 1) / len(acts), f"{position + 1} of {len(acts)} recipients")
    if deferred:
        raise Transient(f"The mail server asked to try {len(deferred)} of {len(to)} again later: {deferred[0][:200]}")
    return {"accepted": accepted}


def _send(connection: smtp.Connection, letter: Letter, act: Act) -> smtp.Reply:
    """One recipient, to the end of its transaction; the answer is in the ledger when this returns."""
    message = compose(letter, act)
    sender = current_app.config["MAIL_DEFAULT_SENDER"]
    try:
        reply = connection.transmit(sender, act.key, message.as_bytes(), act.mark)
    except smtp.NotBegun as declined:
        reply = declined.reply
        (act.defer if reply.transient else act.refuse)(code=reply.code, reply=reply.text)
        connection.reset()
        return reply
    except smtp.NotSent:
        act.settle(EffectState.PENDING)
        raise
    except smtp.NoReply:
        act.settle(EffectState.UNKNOWN, message_id=message.msgId)
        raise Transient("The mail server hung up after it had a whole mail and before it answered.") from None
    state = EffectState.DONE if reply.accepted else EffectState.PENDING if reply.transient else EffectState.REFUSED
    act.settle(state, code=reply.code, reply=reply.text, message_id=message.msgId)
    return reply


class Mail(Message):
    """Flask-Mail's message, written as RFC 5322 wants it: seven bits, folded headers, no line over 998 octets."""

    def as_bytes(self) -> bytes:
        mail = EmailMessage(policy=SEVEN_BITS)
        mail["From"], mail["To"], mail["Subject"] = self.sender, self.recipients[0], self.subject
        mail["Date"], mail["Message-ID"] = localtime(), self.msgId
        if self.reply_to:
            mail["Reply-To"] = self.reply_to
        for name, value in (self.extra_headers or {}).items():
            mail[name] = value
        mail.set_content(self.body or "")
        if self.html:
            mail.add_alternative(self.html, subtype="html")
        return mail.as_bytes()


def compose(letter: Letter, act: Act) -> Mail:
    """The message for one recipient. Its Message-ID is the effect's, so a repetition can be recognised."""
    sender = current_app.config["MAIL_DEFAULT_SENDER"]
    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834 section 5: robots do not answer it
    message = Mail(
        subject=letter.subject,
        recipients=[act.key],
        sender=sender,
        reply_to=letter.reply_to,
        body=letter.text or as_text(letter.html or ""),
        html=letter.html and css_inline.inline(letter.html, keep_at_rules=True),
        extra_headers=headers,
    )
    job = act.attempt.job_id if act.attempt else act.id
    message.msgId = f"<{act.id}.{job}@{sender.rpartition('@')[2].rstrip('>')}>"
    return message


def as_text(html: str) -> str:
    """A readable text version of an HTML mail."""
    reader = HTML2Text(bodywidth=78)
    reader.ignore_images = True
    return reader.handle(html).strip() + "\n"


def from_template(template: str, subject: str, **values: Any) -> Letter:
    """A letter of ours from `templates/email/<template>.html` and `.txt`."""
    return Letter(
        subject=subject,
        text=render_template(f"email/{template}.txt", subject=subject, **values),
        html=render_template(f"email/{template}.html", subject=subject, **values),
    )
