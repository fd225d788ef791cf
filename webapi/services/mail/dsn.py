"""Delivery status notifications: what a mail server says later about a mail that it took (RFC 3464, 6522 and 6533).

Anybody can send such a mail: what is read here is a claim, no proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from itertools import islice

from webapi.errors import Invalid
from webapi.services.mail.parts import Part, bare, content, fields_of, leaves, parse

MOST_BYTES = 1024 * 1024
MOST_RECIPIENTS = 100
MOST_BLOCKS = 2 * MOST_RECIPIENTS  # of fields in one status part, those without a recipient included
VALUE = 2000  # characters of a field that are looked at
MOST_TEXT = 500
MOST_ADDRESS = 320

ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
ORIGINAL_TYPES = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}

BLANK_LINES = re.compile(r"\n[ \t]*\n")
TYPED = re.compile(r"\s*([a-z0-9][a-z0-9._-]*)\s*;(.*)", re.IGNORECASE | re.DOTALL)
ADDRESS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"<>()]+)@[^\s@"<>()]+')
ESCAPED = re.compile(r"\\x\{([0-9a-f]{2,6})\}", re.IGNORECASE)  # in ASCII form of utf-8 addresses (RFC 6533)
STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![^\s,;])")
CODE = re.compile(r"[2-5][0-9]{2}(?![0-9.])")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,996}>")


@dataclass(frozen=True)
class Notice:
    """What one delivery status notification says about one recipient."""

    recipient: str  # the original one if given, else the final one, in lower case; "" if unreadable
    action: str  # one of ACTIONS (RFC 3464 section 2.3.3)
    status: str  # enhanced status code, as in "5.1.1" (RFC 3463); "" where absent or malformed
    code: int | None  # the SMTP server's reply code, None where absent
    text: str  # the diagnostic in one line, at most 500 characters, no control characters; "" where absent
    message_id: str  # of the original mail, with its angle brackets; "" where absent

    @property
    def permanent(self) -> bool:
        """True if trying again is of no use: the status says so, or the SMTP code where there is no status."""
        says_so = self.status.startswith("5.") if self.status else self.code is not None and self.code // 100 == 5
        return self.action == "failed" and says_so


def read(raw: bytes) -> list[Notice]:
    """What the notification says, one notice for each recipient, the first 100 of them.

    Raises Invalid with a sentence that says what is missing, for anything that is no such notification.
    """
    if len(raw) > MOST_BYTES:
        raise Invalid(f"This mail is too large: a delivery status notification has at most {MOST_BYTES} bytes.")
    mail = parse(raw)
    parts = [part for part in leaves(mail) if part.in_report]
    if not parts:
        raise Invalid("This is no delivery status notification: it has no multipart/report with parts.")
    statuses = [part for part in parts if part.type in STATUS_TYPES]
    if not statuses:
        raise Invalid("This is no delivery status notification: its report has no message/delivery-status part.")
    statuses = [part for part in statuses if part.whole]  # half an address may be somebody else's
    if not statuses:
        raise Invalid("This delivery status notification is cut off: no boundary ends its status part.")
    message_id = _message_id(mail, parts)
    notices = list(islice((each for part in statuses for each in _notices(part, message_id)), MOST_RECIPIENTS))
    if not notices:
        raise Invalid('This delivery status notification names no recipient with an action, such as "failed".')
    return notices


def _notices(part: Part, message_id: str) -> Iterator[Notice]:
    """One notice for each block of fields with a known action: the first block usually is about the whole mail."""
    for block in BLANK_LINES.split(content(part), maxsplit=MOST_BLOCKS)[:MOST_BLOCKS]:
        fields = {name: value[:VALUE] for name, value in fields_of(block).items()}
        action = bare(fields.get("action", "")).lower()
        if action not in ACTIONS:
            continue
        status = STATUS.match(bare(fields.get("status", "")))
        kind, diagnostic = _typed(fields.get("diagnostic-code", ""))
        code = CODE.match(diagnostic) if kind in {"smtp", "lmtp", ""} else None
        yield Notice(
            recipient=_address(fields.get("original-recipient", "")) or _address(fields.get("final-recipient", "")),
            action=action,
            status=status[0] if status else "",
            code=int(code[0]) if code else None,
            text=_readable(diagnostic),
            message_id=message_id,
        )


def _message_id(mail: Part, parts: list[Part]) -> str:
    """The original's own id, else the last one that the notification answers."""
    for part in parts:
        if part.type in ORIGINAL_TYPES:
            # The headers end at a blank line, and some servers begin with one.
            own = _ids(fields_of(content(part).lstrip("\n").partition("\n\n")[0]).get("message-id", ""))
            if own:
                return own[0]
    answered = _ids(mail.fields.get("in-reply-to", "")) or _ids(mail.fields.get("references", ""))
    return answered[-1] if answered else ""


def _ids(value: str) -> list[str]:
    return [each for each in MESSAGE_ID.findall(value) if each.isprintable()]


def _address(value: str) -> str:
    """The mail address in a recipient's field, "" for one of another type (RFC 3464 section 2.1.3)."""
    kind, address = _typed(bare(value))
    if kind == "utf-8":
        address = ESCAPED.sub(lambda each: chr(min(int(each[1], 16), 0x10FFFF)), address)
    address = address.removeprefix("<").removesuffix(">").strip().lower()
    fits = ADDRESS.fullmatch(address) and address.isprintable() and len(address) <= MOST_ADDRESS
    return address if fits and kind in {"rfc822", "utf-8", ""} else ""


def _typed(value: str) -> tuple[str, str]:
    """The type before the semicolon, in lower case, "" without one; and the value."""
    typed = TYPED.fullmatch(value)
    return (typed[1].lower(), typed[2].strip()) if typed else ("", value.strip())


def _readable(value: str) -> str:
    """The value in one line, encoded words decoded (RFC 2047) where that can be done."""
    if "=?" in value:
        try:
            value = str(make_header(decode_header(value)))
        except (MessageError, LookupError, ValueError):
            value = " ".join(value.split())  # a wrong encoding is shown as it is
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())[:MOST_TEXT].strip()
