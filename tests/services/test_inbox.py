"""The inbox: it shows whatever arrived, and opens nothing but its own mails."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapi.errors import NotFound
from webapi.services import inbox


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no header at all",
        b"Subject: =?utf-8?B?/////?=\r\n\r\n",
        b"Subject: =?nonsense?Q?x?=\r\nFrom: \xff\xfe\r\n\r\n\xff",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xfc",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n=== not base64 ===",
    ],
)
def test_the_inbox_shows_any_mail_however_broken(tmp_path: Path, content: bytes) -> None:
    mail_id = f"{1:020d}-0123abcd"
    (tmp_path / f"{mail_id}.eml").write_bytes(content)
    assert [mail.id for mail in inbox.messages(tmp_path)] == [mail_id]
    assert inbox.message(tmp_path, mail_id).id == mail_id


@pytest.mark.parametrize("mail_id", ["", "..", "../secret-key", "00000000000000000001-0123abcd", "x" * 5000, "a\x00b"])
def test_the_inbox_opens_its_own_mails_and_nothing_else(tmp_path: Path, mail_id: str) -> None:
    with pytest.raises(NotFound):
        inbox.message(tmp_path / "inbox", mail_id)


def test_an_inbox_that_was_never_used_is_empty(tmp_path: Path) -> None:
    assert inbox.messages(tmp_path / "nothing") == []


def shown(folder: Path, content: bytes) -> inbox.Mail:
    """A mail as its page shows it, whose words all can be sent to a browser."""
    mail_id = f"{1:020d}-0123abcd"
    (folder / f"{mail_id}.eml").write_bytes(content)
    mail = inbox.message(folder, mail_id)
    (listed,) = inbox.messages(folder)
    for each in (mail, listed):
        words = [each.sender, *each.to, each.subject, each.text or "", each.html or "", *each.attachments]
        "".join(words).encode("utf-8")
    return mail


def nested(depth: int) -> bytes:
    ends = b"".join(b"\r\n--b%d--" % level for level in reversed(range(depth)))
    heads = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth))
    return b"Subject: Deep\r\n" + b"".join(heads) + b"\r\nbottom" + ends + b"\r\n"


def test_a_mail_of_parts_in_parts_without_end_is_shown_without_them(tmp_path: Path) -> None:
    mail = shown(tmp_path, nested(1000))
    assert (mail.subject, mail.text, mail.attachments) == ("Deep", None, ())
    assert shown(tmp_path, nested(20)).text == "bottom"


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: =?utf-7?q?+2AA-?=\r\n\r\n",
        b"Subject: a\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
        b"Subject: \xed\xa0\x80\r\nFrom: \xff\r\nX-Envelope-To: \xff\r\n\r\n",
        b"Subject: a\r\nContent-Disposition: attachment; filename*=utf-7''+2AA-\r\n\r\nx",
        b"Subject: a\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n\x00\xd8",
        b"Subject: =?idna?q?=FF..?=\r\nContent-Type: text/plain; charset=idna\r\n\r\n\xff..",
        b"Subject: =?undefined?q?x?=\r\nContent-Type: text/plain; charset=undefined\r\n\r\nx",
    ],
)
def test_no_mail_brings_half_a_character_onto_a_page(tmp_path: Path, content: bytes) -> None:
    assert shown(tmp_path, content).subject
