"""The mails that the development's SMTP server kept, one `.eml` file each, for the inbox page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

from webapi.errors import NotFound

NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}")  # nanoseconds since 1970 when the mail arrived, and a random part
MOST = 200  # mails in a list
HEAD = 256 * 1024  # bytes of a mail that are read to find its headers


@dataclass(frozen=True)
class Mail:
    """A mail as it arrived. `to` is the envelope's: whom it reached, blind copies too.

    `text` and `html` are None where there is no such part, and in a list, which reads headers only.
    """

    id: str
    at: datetime
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str | None = None
    html: str | None = None
    attachments: tuple[str, ...] = ()


def messages(folder: Path) -> list[Mail]:
    """The newest mails, newest first; none when there is no such folder."""
    names = sorted((path.stem for path in folder.glob("*.eml") if NAME.fullmatch(path.stem)), reverse=True)
    return [_mail(name, _read(folder, name, HEAD)) for name in names[:MOST]]


def message(folder: Path, mail_id: str) -> Mail:
    """One mail with its parts. Raises NotFound, also for an id that is none of ours."""
    if not NAME.fullmatch(mail_id):
        raise NotFound("There is no such mail.")
    parsed = _read(folder, mail_id)
    return _mail(mail_id, parsed, parts=True)


def _read(folder: Path, name: str, most: int = -1) -> Message:
    try:
        with (folder / f"{name}.eml").open("rb") as file:
            content = file.read(most)
    except FileNotFoundError:
        raise NotFound("There is no such mail.") from None
    try:
        return message_from_bytes(content)
    except RecursionError:  # parts in parts in parts, deeper than the library goes: then its headers must do
        return BytesHeaderParser().parsebytes(content)


def _mail(name: str, parsed: Message, *, parts: bool = False) -> Mail:
    return Mail(
        id=name,
        at=datetime.fromtimestamp(int(name[:20]) // 1_000_000 / 1000, UTC),
        sender=_header(parsed, "From") or _header(parsed, "X-Envelope-From"),
        to=tuple(str(address) for address in parsed.get_all("X-Envelope-To", [])),
        subject=_header(parsed, "Subject"),
        text=_body(parsed, "text/plain") if parts else None,
        html=_body(parsed, "text/html") if parts else None,
        attachments=tuple(_speakable(part.get_filename("attachment")) for part in parsed.walk() if _is_attached(part))
        if parts
        else (),
    )


def _header(parsed: Message, name: str) -> str:
    """A header in readable form. Whatever arrives must be shown, so a wrong encoding is shown as it is."""
    raw = parsed.get(name, "")
    try:
        readable = str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, ValueError):
        readable = str(raw)
    return " ".join(_speakable(readable).split())


def _body(parsed: Message, media_type: str) -> str | None:
    for part in parsed.walk():
        if part.get_content_type() == media_type and not part.is_multipart() and not _is_attached(part):
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return _decoded(content, part.get_content_charset("utf-8")).replace("\r\n", "\n")
    return None


def _decoded(content: bytes, charset: str) -> str:
    try:
        return _speakable(content.decode(charset, "replace"))
    except (LookupError, ValueError):  # a character set that nobody knows
        return content.decode("utf-8", "replace")


def _speakable(text: str) -> str:
    """The text without halves of characters, which UTF-7 and raw bytes can leave, and no page can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"
