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
