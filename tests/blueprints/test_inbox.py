"""Page: the mails that development kept. A mail may hold anything, and none of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blueprints.site import Browser, Site
from webapi import create_app

ID = "01763000000000000000-0123abcd"
MAIL = b"""X-Envelope-From: <us@example.com>
X-Envelope-To: bob@example.com
From: Us <us@example.com>
To: bob@example.com
Subject: <script>alert(1)</script> =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Plain <b>text</b>, see https://example.com/x
--b
Content-Type: text/html; charset=utf-8

<p onclick="alert(1)">Rich <script>alert(2)</script></p>
--b--
"""


@pytest.fixture
def inbox(site: Site) -> Path:
    folder = site.folder / "inbox"
    (folder / f"{ID}.eml").write_bytes(MAIL)
    return folder


def test_a_mail_is_listed_and_shown(visitor: Browser, inbox: Path) -> None:
    assert f'href="/inbox/{ID}"' in visitor.get("/inbox").text
    page = visitor.get(f"/inbox/{ID}").text
    assert "Grüße" in page
    assert "bob@example.com" in page
    assert 'href="https://example.com/x"' in page


@pytest.mark.parametrize("path", ["/inbox", f"/inbox/{ID}"])
def test_what_a_mail_holds_is_escaped(visitor: Browser, inbox: Path, path: str) -> None:
    page = visitor.get(path).text
    assert "<script>alert" not in page
    assert "<b>text</b>" not in page


def test_its_html_is_in_a_frame_that_can_do_nothing(visitor: Browser, inbox: Path) -> None:
    frame = visitor.get(f"/inbox/{ID}/html")
    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert ("script-src" in policy, "frame-ancestors 'self'" in policy) == (False, True)
    assert '<iframe class="mail"' in visitor.get(f"/inbox/{ID}").text


@pytest.mark.parametrize(
    "mail_id", ["x", "..", "../secret", "%2e%2e%2fsecret", ID.upper(), ID + "x", "0" * 20 + "-00000000", ID + "%00"]
)
@pytest.mark.parametrize("part", ["", "/html"])
def test_no_other_file_is_a_mail(visitor: Browser, inbox: Path, mail_id: str, part: str) -> None:
    (inbox.parent / "secret.eml").write_text("secret")
    answer = visitor.get(f"/inbox/{mail_id}{part}")
    assert answer.status_code in {400, 404}
    assert "secret" not in answer.text.replace(mail_id, "")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"Subject: =?x?q?=\n\n", b"Content-Type: text/html; charset=nope\n\nx"]
)
def test_a_mail_that_makes_no_sense_is_shown_all_the_same(visitor: Browser, inbox: Path, content: bytes) -> None:
    (inbox / f"{ID}.eml").write_bytes(content)
    assert [visitor.get(path).status_code for path in ("/inbox", f"/inbox/{ID}", f"/inbox/{ID}/html")] == [200] * 3


def test_without_an_inbox_there_is_no_such_page() -> None:
    app = create_app({"DATABASE_URL": "sqlite://", "INBOX_PATH": None})
    assert app.test_client().get("/inbox").status_code == 404
