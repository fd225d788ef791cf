"""Single mails: of a template or with words of their own, with files, from one of the owner's senders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from uuid import UUID

from webapi.queue import current
from webapi.services.mail import attachments, letters, mailer, senders, templates
from webapi.services.mail.attachments import LINK_DAYS, File
from webapi.services.mail.letters import Letter
from webapi.services.mail.mailer import Errand


@dataclass(frozen=True)
class Mail:
    """What a mail says and what goes with it. `template` is a name, or a name and a version: `invoice@3`."""

    subject: str | None = None
    text: str = ""
    html: str = ""
    template: str | None = None
    values: Mapping[str, str] | None = None
    attachments: Sequence[UUID] = ()
    artifacts: Sequence[str] = ()
    sender: str | None = None
    reply_to: str | None = None


def check(owner_id: UUID, mail: Mail) -> str | None:
    """Raises Invalid when the mail could not be sent as it is. Returns its template with the version fixed."""
    senders.envelope(owner_id, mail.sender)
    attachments.of(owner_id, mail.attachments, mail.artifacts)
    if mail.template is None:
        letters.check(_letter(owner_id, mail), {})
        return None
    template, version = templates.named(owner_id, mail.template)
    letters.check(templates.wording(template.id, version).letter(), _values(mail))
    return f"{template.name}@{version}"


def send(mail: Mail, to: Sequence[str]) -> dict[str, Any]:
    """Send it to each address that has not had it yet; see `mailer.deliver`."""
    attempt = current()
    owner_id = attempt.owner_id if attempt else UUID(int=0)
    files, linked = attachments.split(attachments.of(owner_id, mail.attachments, mail.artifacts))
    letter = with_links(_letter(owner_id, mail), linked)
    envelope = senders.envelope(owner_id, mail.sender, mail.reply_to)
    return mailer.deliver(Errand(letter, dict.fromkeys(to, _values(mail)), envelope, files))


def _values(mail: Mail) -> dict[str, str]:
    return {name.lower(): value for name, value in (mail.values or {}).items()}


def _letter(owner_id: UUID, mail: Mail) -> Letter:
    if mail.template is not None:
        template, version = templates.named(owner_id, mail.template, accepted=True)
        return templates.wording(template.id, version).letter()
    return Letter(mail.subject or "", mail.text, mail.html, literal=True)


def with_links(letter: Letter, files: Sequence[File]) -> Letter:
    """The letter with links to files at its end."""
    if not files:
        return letter
    # In a template a name must not be taken for a place.
    rows = [(file.name if letter.literal else re.sub("[{}]", "_", file.name), attachments.link(file)) for file in files]
    note = f"For {LINK_DAYS} days you find here:"
    listed = "".join(f'<li><a href="{escape(url)}">{escape(name)}</a></li>' for name, url in rows)
    text = f"{letter.text.rstrip()}\n\n{note}\n" + "".join(f"{name}: {url}\n" for name, url in rows)
    return replace(
        letter,
        text=text if letter.text else "",
        html=letter.html and f"{letter.html}<p>{note}</p><ul>{listed}</ul>",
    )
