"""Two strict readers of a message: the library's, which raises on a defect, and the lines as RFC 5322 has them."""

from __future__ import annotations

import re
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

ONCE = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"}
FIELD = re.compile(rb"[!-9;-~]+: ?[ -~\t]*(?:\r\n[ \t][ -~\t]*)*")
MESSAGE_ID = re.compile(r"<[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+>", re.ASCII)
QUOTED = re.compile(rb"(?:[!-<>-~ \t]|=[0-9A-F]{2})*(?:=|(?<![ \t]))")
READ: Counter[str] = Counter()  # how many messages were read, for whoever wants to say so
BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def read(raw: bytes) -> EmailMessage:
    """The message, in which nothing is wrong for either of the two."""
    lines(raw)
    message = message_from_bytes(raw, policy=policy.strict)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            assert not value.defects, (name, str(value), value.defects)
        _encoding(part)
    counted = Counter(message.keys())
    assert {name for name, count in counted.items() if count == 1} >= ONCE
    assert max(counted.values()) == 1
    assert MESSAGE_ID.fullmatch(str(message["Message-ID"]).strip())
    assert parsedate_to_datetime(str(message["Date"])).tzinfo is not None
    assert message["MIME-Version"] == "1.0"
    assert message["Auto-Submitted"] == "auto-generated"
    READ["messages"] += 1
    return message


def lines(raw: bytes) -> None:
    """RFC 5322 sections 2.1.1, 2.2 and 2.3: ASCII, CR LF, no long lines, fields that are fields."""
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n")
    assert b"\0" not in raw
    each = raw.split(b"\r\n")
    assert max(map(len, each)) <= 998
    head, _, _ = raw.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    assert all(FIELD.fullmatch(field) for field in fields), fields
    assert all(line.strip() for line in head.split(b"\r\n")), "RFC 5322 section 3.2.2: no line of only white space"


def _encoding(part: EmailMessage) -> None:
    """RFC 2045 sections 6.7 and 6.8."""
    if part.is_multipart():
        return
    body = str(part.get_payload()).encode("ascii")
    each = body.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    assert max(map(len, each)) <= 76
    if part["Content-Transfer-Encoding"] == "base64":
        assert all(BASE64.fullmatch(line) for line in each if line)
    else:
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert all(QUOTED.fullmatch(line) for line in each)


def unlined(text: str) -> str:
    """Line ends of every kind as one, none at the end: what differs in nothing else says the same."""
    return re.sub(r"\r\n|\r", "\n", text).rstrip("\n")
