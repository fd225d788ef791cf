"""Messages on the wire: RFC 5322 and MIME by the standard library, once; then only what differs is filled in.

Building a MIME message costs more than sending it. So one is built with marks where a recipient's own text goes, and
taken apart at the marks. Everything is seven bits wide, with lines that every server takes.
"""

from __future__ import annotations

import binascii
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import localtime, parseaddr
from typing import Any

from webapi.services.mail.letters import Prepared

SEVEN_BITS: EmailPolicy[Any] = SMTP.clone(cte_type="7bit")
BARE_EOL = re.compile(rb"\r\n|\r|\n")
EOL = re.compile(r"\r\n|\r|\n")
PLAIN = re.compile(r"[ -<>-~]{1,60}")  # needs neither encoding nor folding; "=?" could be taken for encoded
# A display name that needs no quotes, and whose blanks nobody folds (RFC 5322 section 3.2.3).
WORDS = re.compile(r"(?=.{1,60}\Z)[A-Za-z0-9_+-]+(?: [A-Za-z0-9_+-]+)*")
MARKS = ("from", "to", "id", "subject", "text", "html", "unsubscribe")


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail. With a `cid` it is a picture in its HTML, at `cid:…` (RFC 2392)."""

    name: str
    media_type: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True)
class Envelope:
    """What all the mails of a letter have in common: their headers. `sender` is `address` or `Name <address>`."""

    sender: str
    reply_to: str | None = None
    bulk: bool = False

    @property
    def address(self) -> str:
        return self.sender.rpartition("<")[2].rstrip(">").strip()

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


class Press:
    """Prints the mails of one letter, each for its own recipient."""

    def __init__(self, letter: Prepared, envelope: Envelope, attachments: Sequence[Attachment] = ()) -> None:
        self._letter = letter
        self._sender = _from(envelope.sender)
        # A mark that nobody can guess: a file's name, and the base64 of its bytes, are their author's to choose.
        mark = secrets.token_hex(8) + "{}"
        built = _with_marks(letter, envelope, attachments, mark).as_bytes()
        self._pieces = re.split(mark.format(f"({'|'.join(MARKS)})").encode(), built)  # a literal and a mark in turn

    def print(self, to: str, message_id: str, values: Mapping[str, str], unsubscribe: str = "") -> bytes:
        """The whole message, with CR LF at each line's end and no dot doubled.

        `to` must be one ASCII address and `message_id` an id with its brackets. Raises placeholders.Missing
        and ValueError, as the letter does.
        """
        said = self._letter.fill({**values, "unsubscribe_url": unsubscribe} if unsubscribe else values)
        own = {
            b"from": self._sender,
            b"to": to.encode("ascii"),
            b"id": message_id.encode("ascii"),
            b"subject": _subject(said.subject),
            b"text": _quoted(said.text),
            b"html": _quoted(said.html),
            b"unsubscribe": unsubscribe.encode("ascii"),
        }
        pieces = list(self._pieces)
        for position in range(1, len(pieces), 2):
            pieces[position] = own[pieces[position]]
        return b"".join(pieces)


def _with_marks(letter: Prepared, envelope: Envelope, attachments: Sequence[Attachment], mark: str) -> EmailMessage:
    mail = EmailMessage(policy=SEVEN_BITS)
    mail["From"], mail["To"], mail["Subject"] = (mark.format(name) for name in ("from", "to", "subject"))
    mail["Date"], mail["Message-ID"] = localtime(), mark.format("id")
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: robots do not answer it
    if envelope.reply_to:
        mail["Reply-To"] = envelope.reply_to
    if envelope.bulk:  # RFC 2369 section 3.2 and RFC 8058 section 3.1
        mail["List-Unsubscribe"] = f"<{mark.format('unsubscribe')}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(mark.format("text"), cte="quoted-printable")
    if letter.html:
        mail.add_alternative(mark.format("html"), subtype="html", cte="quoted-printable")
        _draw(mail, [each for each in attachments if each.cid])
    for each in [each for each in attachments if not each.cid]:
        # A file that is itself a mail, or says so, is still only bytes: RFC 2046 section 5 lets no base64 be one.
        composite = each.media_type.lower().startswith(("multipart/", "message/"))
        main, _, sub = ("application/octet-stream" if composite else each.media_type).partition("/")
        name = each.name.replace("=?", "=_")  # readers would take it for an encoded word
        mail.add_attachment(each.content, maintype=main, subtype=sub, filename=name, cte="base64")
    return mail


def _draw(mail: EmailMessage, pictures: Sequence[Attachment]) -> None:
    """Put pictures beside the HTML that shows them (RFC 2387)."""
    html = mail.get_body(("html",))
    for each in pictures:
        main, _, sub = each.media_type.partition("/")
        assert isinstance(html, EmailMessage)
        html.add_related(each.content, maintype=main, subtype=sub, cid=f"<{each.cid}>", cte="base64")


def _subject(text: str) -> bytes:
    if PLAIN.fullmatch(text) and text == text.strip():
        return text.encode("ascii")
    return _encoded(text, "Subject")


def _from(sender: str) -> bytes:
    """`Name <address>`; a name that is no plain word is encoded, which needs no quotes."""
    name, address = parseaddr(sender)
    if not name:
        return address.encode("ascii")
    shown = name.encode("ascii") if WORDS.fullmatch(name) else _encoded(name, "From")
    return shown + f"\r\n <{address}>".encode("ascii")


def _encoded(text: str, header: str) -> bytes:
    """Encoded words (RFC 2047), folded. The newer folding of the library loses blanks between two of them."""
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n").encode("ascii")


def _quoted(text: str) -> bytes:
    """Quoted-printable (RFC 2045 section 6.7), without a line end at the end: the message has one there."""
    lines = EOL.sub("\n", text).removesuffix("\n").encode("utf-8", "replace")
    return binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def on_the_wire(message: bytes) -> bytes:
    """RFC 5321: every line ends in CR LF (section 2.3.8) and a leading dot is doubled (section 4.5.2)."""
    if not message.count(b"\r\n") == message.count(b"\r") == message.count(b"\n"):
        message = BARE_EOL.sub(b"\r\n", message)
    message = message if message.endswith(b"\r\n") else message + b"\r\n"
    message = message.replace(b"\n.", b"\n..")
    return b"." + message if message.startswith(b".") else message
