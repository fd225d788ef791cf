"""What a mail looks like on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from flask import Flask
from markupsafe import escape

from tests.conftest import BASE
from tests.smtp_server import SmtpServer, Stored, smtp_server
from webapi import create_app
from webapi.services.mail.letters import Letter, prepare
from webapi.services.mail.mailer import Errand, deliver, send_own
from webapi.services.mail.markup import as_text
from webapi.services.mail.message import Attachment, Envelope, Press, on_the_wire

BOB = "bob@example.com"


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app({**BASE, "DATABASE_URL": "sqlite://"})


@pytest.fixture
def mail_server(app: Flask) -> Iterator[SmtpServer]:
    """Where the mail of the app goes, in whose context the test runs. Without a job nothing is asked of SQL."""
    with smtp_server() as server, app.test_request_context():
        app.extensions["mail"].port = server.port
        yield server
        if kept := app.extensions.pop("smtp", None):
            kept.close()


def sent(server: SmtpServer, letter: Letter, *files: Attachment) -> Stored:
    """One mail to Bob, without a job around it."""
    deliver(Errand(letter, {BOB: {}}, Envelope("webapi@localhost.example", "ada@example.com"), files))
    return server.stored[-1]


def test_a_mail_says_who_what_and_that_no_person_wrote_it(mail_server: SmtpServer) -> None:
    message = sent(mail_server, Letter("Hello", text="It works.")).message
    assert (message["From"], message["To"], message["Subject"]) == ("webapi@localhost.example", BOB, "Hello")
    assert (message["Reply-To"], message["Auto-Submitted"]) == ("ada@example.com", "auto-generated")
    assert message["Date"].datetime.tzinfo is not None
    assert message["Message-ID"].endswith("@localhost.example>")


def test_what_is_not_plain_ascii_arrives_as_it_is(mail_server: SmtpServer) -> None:
    message = sent(mail_server, Letter("Grüße 🌍 — ünïcödé " * 5, text="Zürich 🌍\n")).message
    assert message["Subject"] == "Grüße 🌍 — ünïcödé " * 5
    assert message.get_content().splitlines() == ["Zürich 🌍"]


@pytest.mark.parametrize(
    "name", ["Ada", "Ada Lovelace", "Lovelace, Ada", 'A "B" C', "Zoë Zoë " * 6, "=?utf-8?q?x?=", "Ada <x@evil.example>"]
)
def test_the_name_of_a_sender_arrives_as_it_is(name: str) -> None:
    sender = str(Address(name.strip(), "us", "example.com"))
    printed = Press(prepare(Letter("Hello", "Hi.")), Envelope(sender)).print(BOB, "<1@example.com>", {})
    shown, address = parseaddr(message_from_bytes(printed)["From"])
    assert (str(make_header(decode_header(shown))), address) == (name.strip(), "us@example.com")
    assert longest(printed) <= 78


def test_a_mail_with_html_has_both_parts_and_its_styles_inside(mail_server: SmtpServer) -> None:
    html = "<style>p { color: red }</style><p>Hello <b>you</b></p>"
    message = sent(mail_server, Letter("Hello", html=html)).message
    assert [part.get_content_type() for part in message.walk()][-3:] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "Hello **you**" in plain.get_content()
    assert '<p style="color: red' in rich.get_content()


@pytest.mark.parametrize(
    "text", [".", ".\n", "a\n.\nb", "..\n", ".QUIT\n", "a\r.\rb", "a\r\n.\r\nMAIL FROM:<x@y.example>\r\n"]
)
def test_no_text_ends_a_mail_early(mail_server: SmtpServer, text: str) -> None:
    mail = sent(mail_server, Letter("Hello", text=text))
    assert mail.message.get_content().split() == text.split()
    assert len(mail_server.stored) == 1


@pytest.mark.parametrize("text", ["a\nb\n", "a\rb\r", "a\r\nb", "a\n\rb", "\r\r\n\n"])
def test_no_bare_cr_or_lf_is_on_the_wire(mail_server: SmtpServer, text: str) -> None:
    wire = sent(mail_server, Letter("Hello", text=text, html=f"<p>{text}</p>")).wire
    assert wire.replace(b"\r\n", b"").count(b"\r") == 0
    assert wire.replace(b"\r\n", b"").count(b"\n") == 0


def longest(wire: bytes) -> int:
    return max(len(line) for line in wire.split(b"\r\n"))


def test_a_subject_of_the_greatest_length_is_folded(mail_server: SmtpServer) -> None:
    assert longest(sent(mail_server, Letter("ü" * 200, text="Hi.")).wire) < 200


@pytest.mark.parametrize("letter", [Letter("Hi", text="x" * 2000), Letter("Hi", text=".", html="<p>y</p>" * 500)])
def test_no_line_is_longer_than_smtp_allows(mail_server: SmtpServer, letter: Letter) -> None:
    """RFC 5321 section 4.5.3.1.6."""
    assert longest(sent(mail_server, letter).wire) <= 998


def test_a_mail_of_eight_bits_is_announced_as_one(mail_server: SmtpServer) -> None:
    """RFC 6152: what is not announced by BODY=8BITMIME has seven."""
    mail = sent(mail_server, Letter("Hello", text="Zürich\n"))
    assert mail.wire.isascii() or mail.options == "BODY=8BITMIME"


def test_a_line_that_begins_with_from_stays_as_it_is(mail_server: SmtpServer) -> None:
    message = sent(mail_server, Letter("Hello", text="From here on\nit works.\n")).message
    assert message.get_content().splitlines() == ["From here on", "it works."]


def test_the_text_of_html_can_be_read() -> None:
    html = '<h1>Hello</h1><p>A <a href="https://example.com/x">link</a>.</p><img src="https://example.com/y">'
    assert as_text(html) == "# Hello\n\nA [link](https://example.com/x).\n"


@pytest.mark.usefixtures("mail_server")
def test_what_a_person_wrote_is_escaped_in_our_letters(mail_server: SmtpServer) -> None:
    send_own("welcome", BOB, name="<b>Ada</b>", link="https://x.example/?a=1&b=2")
    message = mail_server.stored[-1].message
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "Welcome, &lt;b&gt;Ada&lt;/b&gt;" in rich.get_content()
    assert "Welcome, <b>Ada</b>" in plain.get_content()
    assert message["Subject"] == "Welcome to webapi"


@pytest.mark.usefixtures("mail_server")
@pytest.mark.parametrize(
    "name", ["report.pdf", "Bericht März.pdf", "報告.csv", "a'b\"c;d.txt", "x" * 150 + ".pdf", "🌍.png"]
)
def test_a_file_arrives_with_its_name_and_its_bytes(mail_server: SmtpServer, name: str) -> None:
    """RFC 2231."""
    content = bytes(range(256)) * 20
    mail = sent(mail_server, Letter("Hello", text="Hi."), Attachment(name, "application/pdf", content))
    (file,) = mail.message.iter_attachments()
    assert (file.get_filename(), file.get_content(), file.get_content_type()) == (name, content, "application/pdf")
    assert mail.wire.isascii()


@pytest.mark.usefixtures("mail_server")
def test_each_recipient_reads_their_own_values_and_what_a_value_holds_means_nothing() -> None:
    letter = prepare(Letter("For {{name}}", html="<p>Dear {{ Name }}, {{thing}}</p>"))
    press = Press(letter, Envelope("us@example.com"))
    for name in ("Ada", "<i>Bob</i>", "{{thing}}", "Zoë " * 40):
        printed = press.print(BOB, "<1@example.com>", {"name": name, "thing": "x0markto0x"})
        message = message_from_bytes(printed, policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert " ".join(message["Subject"].split()) == f"For {name}".strip()
        body = message.get_body(("html",))
        assert body is not None
        assert f"Dear {escape(name)}, x0markto0x" in body.get_content()
        assert message["To"] == BOB


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\rb", b"a\r\nb\r\n"),
        (b"a\n\rb\r", b"a\r\n\r\nb\r\n"),
        (b"a\r\r\nb", b"a\r\n\r\nb\r\n"),
        (b".\n", b"..\r\n"),
        (b"a\n.\n..\n.b\n", b"a\r\n..\r\n...\r\n..b\r\n"),
        (b"a\r.\rQUIT\r", b"a\r\n..\r\nQUIT\r\n"),
        (b"a\n.\r\nMAIL FROM:<x@y>\r\n", b"a\r\n..\r\nMAIL FROM:<x@y>\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_on_the_wire_lines_end_in_cr_lf_and_no_line_is_a_dot(message: bytes, wire: bytes) -> None:
    assert on_the_wire(message) == wire
