"""What a mail looks like on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from tests.conftest import BASE
from tests.smtp_server import SmtpServer, Stored, smtp_server
from webapi import create_app
from webapi.queue.effects import Act
from webapi.services import mailer
from webapi.services.mailer import Letter, as_text, compose, deliver

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


def sent(server: SmtpServer, letter: Letter) -> Stored:
    """One mail to Bob, without a job around it."""
    deliver(letter, [BOB])
    return server.stored[-1]


def test_a_mail_says_who_what_and_that_no_person_wrote_it(mail_server: SmtpServer) -> None:
    message = sent(mail_server, Letter("Hello", text="It works.", reply_to="ada@example.com")).message
    assert (message["From"], message["To"], message["Subject"]) == ("webapi@localhost.example", BOB, "Hello")
    assert (message["Reply-To"], message["Auto-Submitted"]) == ("ada@example.com", "auto-generated")
    assert message["Date"].datetime.tzinfo is not None
    assert message["Message-ID"].endswith("@localhost.example>")


def test_what_is_not_plain_ascii_arrives_as_it_is(mail_server: SmtpServer) -> None:
    message = sent(mail_server, Letter("Grüße 🌍 — ünïcödé " * 5, text="Zürich 🌍\n")).message
    assert message["Subject"] == "Grüße 🌍 — ünïcödé " * 5
    assert message.get_content().splitlines() == ["Zürich 🌍"]


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


def test_each_effect_has_a_message_id_of_its_own(mail_server: SmtpServer) -> None:
    acts = [Act(BOB, uuid4(), None) for _ in range(2)]
    first, second = (compose(Letter("Hello", text="Hi."), act).msgId for act in acts)
    assert first != second
    assert str(acts[0].id) in str(first)


def test_what_a_person_wrote_is_escaped_in_our_letters(mail_server: SmtpServer) -> None:
    letter = mailer.from_template("welcome", "Welcome", name="<b>Ada</b>", link="https://x.example/?a=1&b=2")
    assert "<b>Ada</b>" not in (letter.html or "")
    assert "Welcome, <b>Ada</b>" in (letter.text or "")
